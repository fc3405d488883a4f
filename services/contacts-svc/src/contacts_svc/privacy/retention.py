"""How long data is kept: what contacts deletes itself, and the periods of every service, which are decided here."""

from collections.abc import Sequence

from sqlalchemy import literal
from sqlalchemy.dialects.postgresql import JSONB

from contacts_svc.base import table_of
from contacts_svc.insights.model import Insight
from contacts_svc.intake.model import Lead
from contacts_svc.interactions.model import Interaction
from contacts_svc.people.model import PersonChange
from contacts_svc.privacy import events
from contacts_svc.privacy.kinds import BY_NAME, FIXED, KINDS
from contacts_svc.privacy.schemas import PeriodIn, PeriodOut, RetentionOut
from kantis_kit.errors import Invalid
from kantis_kit.forgetting import keep_periods, set_keep_periods
from kantis_kit.retention import Rule
from kantis_kit.tx import ReadTx, Tx

_change, _insight = table_of(PersonChange), table_of(Insight)
_interaction, _lead = table_of(Interaction), table_of(Lead)

RULES = (
    Rule("contacts.interaction", 1_095, _interaction, _interaction.c.occurred_at),
    Rule("contacts.insight", 1_825, _insight, _insight.c.said_at),
    Rule(
        "contacts.lead",
        730,
        _lead,
        _lead.c.last_at,
        values={"fields": literal({}, JSONB()), "evidence": literal({}, JSONB())},
        where=_lead.c.fields != literal({}, JSONB()),
    ),
    Rule(
        "contacts.person_change",
        1_825,
        _change,
        _change.c.at,
        values={"changes": literal({}, JSONB()), "reason": ""},
        where=_change.c.changes != literal({}, JSONB()),
    ),
)


async def get_periods(tx: ReadTx) -> RetentionOut:
    """Return how long every kind is kept, and why."""
    decided = await keep_periods(tx)
    return RetentionOut(
        periods=[
            PeriodOut(
                kind=kind.name,
                days=decided.get(kind.name, kind.days),
                default_days=kind.days,
                least_days=kind.least_days,
                most_days=kind.most_days,
                what=kind.what,
                reason=kind.reason,
            )
            for kind in KINDS
        ],
        fixed=FIXED,
    )


async def decide(tx: Tx, periods: Sequence[PeriodIn]) -> None:
    """Decide how long kinds are kept, and tell the services that hold them. Raises `Invalid`."""
    for index, one in enumerate(periods):
        kind = BY_NAME.get(one.kind)
        if one.kind in FIXED:
            raise Invalid(
                f"periods[{index}]: no period is decided for {one.kind}: {FIXED[one.kind]}"
            )
        if kind is None:
            raise Invalid(
                f"periods[{index}]: there is no kind {one.kind}; GET /v1/privacy/retention lists them"
            )
        if not kind.least_days <= one.days <= kind.most_days:
            raise Invalid(
                f"periods[{index}]: {one.kind} is kept for {kind.least_days} to {kind.most_days} days"
            )
    version = int(tx.clock.now().timestamp() * 1_000_000)
    decided = [(one.kind, one.days, version) for one in periods]
    await set_keep_periods(tx, decided)
    tx.stage(events.periods_decided(decided))
    tx.audit("privacy.retention", "periods", **{one.kind: one.days for one in periods})
