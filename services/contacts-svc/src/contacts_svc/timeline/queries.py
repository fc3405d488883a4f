"""One timeline over the facts of all services: a union of branches, each read by its own index and cut to a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    Uuid,
    cast,
    func,
    literal,
    null,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from contacts_svc.base import Moment, plain, table_of
from contacts_svc.facts.model import (
    EngagementFact,
    InvoiceFact,
    MessageFact,
    OrderFact,
    PaymentFact,
    ResponseFact,
    ReturnFact,
)
from contacts_svc.insights.model import Insight, InsightTerm
from contacts_svc.intake.model import Lead
from contacts_svc.interactions.model import Interaction
from contacts_svc.people.history import in_full
from contacts_svc.people.model import PersonChange
from contacts_svc.permissions.model import LedgerEntry
from contacts_svc.timeline.schemas import EntryKind, EntryOut
from contacts_svc.value.model import LifecycleChange
from contacts_svc.visits.model import PageView, VisitorPerson
from kantis_contracts.values import Channel
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import Page, encode_cursor, moment, read_cursor

Row = Select[Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for; what is empty does not narrow."""

    person_id: UUID
    kinds: Sequence[EntryKind] = ()
    channel: Channel | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Branch:
    """Where entries of one kind stand, and how they are told. `key` tells entries of one moment apart."""

    kind: EntryKind
    table: FromClause
    at: str
    key: str
    what: ColumnElement[str]
    facts: tuple[str, ...]
    channel: ColumnElement[str] | None = None
    prefix: str = ""

    def rows(self, wanted: Wanted, after: Sequence[Any] | None, limit: int) -> Row:
        """Select one page of this branch, the newest first."""
        at = self.table.c[self.at]
        own = cast(self.table.c[self.key], Text)
        key = literal(self.prefix, Text()) + own if self.prefix else own
        kind = literal(self.kind.value, Text())
        campaign = self.table.c.get("campaign_id")
        told: list[Any] = []
        for name in self.facts:
            told += [literal(name, Text()), self.table.c[name]]
        chosen = (
            select(
                at.label("at"),
                kind.label("kind"),
                key.label("key"),
                self.what.label("what"),
                own.label("id"),
                (literal("", Text()) if self.channel is None else self.channel).label("channel"),
                (cast(null(), Uuid()) if campaign is None else campaign).label("campaign_id"),
                func.jsonb_build_object(*told, type_=JSONB).label("facts"),
            )
            .where(self.table.c.person_id == wanted.person_id, at.is_not(None))
            .order_by(at.desc(), key.desc())
            .limit(limit)
        )
        if wanted.channel is not None and self.channel is not None:
            chosen = chosen.where(self.channel == wanted.channel.value)
        if wanted.since is not None:
            chosen = chosen.where(at >= wanted.since)
        if wanted.before is not None:
            chosen = chosen.where(at < wanted.before)
        if after is not None:
            # The first says the same as the second, in words that the index understands.
            chosen = chosen.where(at <= after[0], tuple_(at, kind, key) < tuple_(*_keys(after)))
        return chosen


def _keys(after: Sequence[Any]) -> tuple[ColumnElement[Any], ...]:
    return literal(after[0], Moment), literal(after[1], Text()), literal(after[2], Text())


def _text(name: str) -> ColumnElement[str]:
    return literal(name, Text())


def _views() -> FromClause:
    """Return the pages that those have looked at of whom it is known who they are."""
    view, visitor = table_of(PageView), table_of(VisitorPerson)
    joined = view.join(visitor, visitor.c.visitor_id == view.c.visitor_id)
    return select(view, visitor.c.person_id).select_from(joined).subquery("visit")


def _branches() -> list[_Branch]:
    order, invoice = table_of(OrderFact), table_of(InvoiceFact)
    message, seen = table_of(MessageFact), table_of(EngagementFact)
    insight, term = table_of(Insight), table_of(InsightTerm)
    interaction, ledger = table_of(Interaction), table_of(LedgerEntry)
    change, step = table_of(PersonChange), table_of(LifecycleChange)
    response, lead = table_of(ResponseFact), table_of(Lead)
    by_message = (
        select(message.c.channel)
        .where(message.c.message_id == seen.c.message_id)
        .correlate(seen)
        .scalar_subquery()
    )
    by_term = select(term.c.key).where(term.c.id == insight.c.term_id).correlate(insight)
    sums = ("number", "total_minor", "currency")
    steps = {
        "placed_at": "placed", "shipped_at": "shipped", "delivered_at": "delivered", "paid_at": "paid",
        "cancelled_at": "cancelled",
    }  # fmt: skip
    return [
        *(
            _Branch(EntryKind.ORDER, order, at, "order_id", _text(what), sums, prefix=f"{what}:")
            for at, what in steps.items()
        ),
        _Branch(
            EntryKind.INVOICE,
            invoice,
            "issued_at",
            "invoice_id",
            _text("issued"),
            (*sums, "due_on", "open_minor", "order_id"),
        ),
        _Branch(
            EntryKind.PAYMENT,
            table_of(PaymentFact),
            "booked_at",
            "payment_id",
            _text("booked"),
            ("amount_minor", "currency", "invoice_id"),
        ),
        _Branch(
            EntryKind.RETURN,
            table_of(ReturnFact),
            "returned_at",
            "return_id",
            _text("returned"),
            ("number", "refund_minor", "currency", "is_withdrawal", "lines", "order_id"),
        ),
        _Branch(
            EntryKind.MESSAGE,
            message,
            "settled_at",
            "message_id",
            message.c.state,
            ("reason", "opened_at", "clicked_at"),
            channel=message.c.channel,
        ),
        _Branch(
            EntryKind.ENGAGEMENT,
            seen,
            "seen_at",
            "engagement_id",
            seen.c.kind,
            ("message_id", "verdict", "link_id"),
            channel=func.coalesce(by_message, ""),
        ),
        _Branch(
            EntryKind.RESPONSE, response, "responded_at", "response_id", response.c.kind, ("way",)
        ),
        _Branch(
            EntryKind.INTERACTION,
            interaction,
            "occurred_at",
            "id",
            interaction.c.kind,
            ("direction", "topic", "outcome", "place", "text", "source", "actor"),
            channel=interaction.c.channel,
        ),
        _Branch(
            EntryKind.INSIGHT,
            insight,
            "said_at",
            "id",
            by_term.scalar_subquery(),
            ("strength", "source", "note", "until"),
        ),
        _Branch(
            EntryKind.PERMISSION,
            ledger,
            "occurred_at",
            "id",
            ledger.c.state,
            ("purpose", "source", "legal_basis", "text_version", "actor"),
            channel=ledger.c.channel,
        ),
        _Branch(
            EntryKind.LEAD,
            lead,
            "first_at",
            "id",
            lead.c.form_key,
            ("times", "last_at", "is_consented"),
        ),
        _Branch(
            EntryKind.CHANGE,
            change,
            "at",
            "id",
            _text("changed"),
            ("changes", "actor", "import_id"),
        ),
        _Branch(
            EntryKind.VISIT,
            _views(),
            "seen_at",
            "id",
            _text("seen"),
            ("path", "title", "came_from", "campaign", "visitor_id"),
        ),
        _Branch(EntryKind.LIFECYCLE, step, "at", "id", step.c.after, ("before", "reason", "actor")),
    ]


async def list_entries(
    tx: ReadTx, wanted: Wanted, *, cursor: str | None, limit: int
) -> Page[EntryOut]:
    """Return what happened to a person, the newest first."""
    after = read_cursor(cursor, moment, EntryKind, str)
    chosen = [
        branch
        for branch in _branches()
        if (not wanted.kinds or branch.kind in wanted.kinds)
        and (wanted.channel is None or branch.channel is not None)
    ]
    if not chosen:
        return Page(items=[])
    pages = [
        select(branch.rows(wanted, after, limit + 1).subquery(f"branch_{number}"))
        for number, branch in enumerate(chosen)
    ]
    union = union_all(*pages).subquery("entry")
    rows = plain(
        await tx.execute(
            select(union)
            .order_by(union.c.at.desc(), union.c.kind.desc(), union.c.key.desc())
            .limit(limit + 1)
        )
    )
    items = [
        EntryOut(
            at=at,
            kind=kind,
            what=what,
            id=own,
            channel=channel,
            campaign_id=campaign_id,
            facts={**facts, "changes": in_full(facts["changes"])} if "changes" in facts else facts,
        )
        for at, kind, _, what, own, channel, campaign_id, facts in rows[:limit]
    ]
    if len(rows) <= limit:
        return Page(items=items)
    at, kind, key, *_ = rows[limit - 1]
    return Page(items=items, next_cursor=encode_cursor(at, kind, key))
