"""Reads of rules, of what they decided, and of rehearsals."""

from collections import Counter
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from campaign_svc.actions.queries import list_steps
from campaign_svc.aliases import person_alias
from campaign_svc.rules.errors import RehearsalUnknown, RuleUnknown
from campaign_svc.rules.model import Rehearsal, RehearsalEntry, Rule, RuleEntry
from campaign_svc.rules.policy import SENTENCES, Past, decide
from campaign_svc.rules.schemas import (
    Decision,
    EntryOut,
    ExplanationOut,
    RehearsalOut,
    RehearsalState,
    WouldFire,
)
from kantis_kit.db.aliases import resolve
from kantis_kit.tx import ReadTx

_SHOWN = 1_000
_EXPLAINED = 50


async def get_rule(tx: ReadTx, rule_id: UUID, *, kind: str = "rule") -> Rule:
    """Return a rule. Raises `RuleUnknown`."""
    rule = await tx.get(Rule, rule_id)
    if rule is None or rule.kind != kind:
        raise RuleUnknown(f"There is no {kind} {rule_id}")
    return rule


async def list_rules(tx: ReadTx, *, kind: str, after: UUID | None, limit: int) -> list[Rule]:
    """Return a page of rules, the newest first."""
    statement = (
        select(Rule).where(col(Rule.kind) == kind).order_by(col(Rule.id).desc()).limit(limit)
    )
    if after:
        statement = statement.where(col(Rule.id) < after)
    return list(await tx.scalars(statement))


async def list_entries(
    tx: ReadTx,
    rule_id: UUID,
    *,
    person_id: UUID | None = None,
    decision: Decision | None = None,
    limit: int,
) -> list[EntryOut]:
    """Return what a rule has decided, the newest first."""
    statement = (
        select(RuleEntry)
        .where(col(RuleEntry.rule_id) == rule_id)
        .order_by(col(RuleEntry.at).desc(), col(RuleEntry.id))
        .limit(limit)
    )
    if person_id is not None:
        leads = await resolve(tx, person_alias, [person_id])
        statement = statement.where(col(RuleEntry.person_id) == leads.get(person_id, person_id))
    if decision is not None:
        statement = statement.where(col(RuleEntry.decision) == decision.value)
    return [
        EntryOut(**row.model_dump(), sentence=SENTENCES[Decision(row.decision)])
        for row in await tx.scalars(statement)
    ]


async def explain(tx: ReadTx, rule: Rule, person_id: UUID) -> ExplanationOut:
    """Return what a rule has decided about a person, by the facts of then, and what was done."""
    entries = await list_entries(tx, rule.id, person_id=person_id, limit=_EXPLAINED)
    steps = await list_steps(tx, person_id=person_id, asker_id=rule.id, limit=_EXPLAINED)
    if entries:
        sentence = entries[0].sentence
    elif rule.segment_id is None:
        sentence = "Nothing that the rule waits for was told of the person"
    else:
        sentence = (
            "Its condition has not become true of the person since the rule began; what holds now, clause by clause:"
            f" GET /v1/segments/{rule.segment_id}/explain/{person_id}"
        )
    return ExplanationOut(
        rule_id=rule.id, person_id=person_id, sentence=sentence, entries=entries, steps=steps
    )


async def get_rehearsal(tx: ReadTx, rule: Rule, rehearsal_id: UUID) -> RehearsalOut:
    """Return what a rule would have done, as far as the register has answered. Raises `RehearsalUnknown`."""
    rehearsal = await tx.get(Rehearsal, rehearsal_id)
    if rehearsal is None or rehearsal.rule_id != rule.id:
        raise RehearsalUnknown(f"There is no rehearsal {rehearsal_id} of this rule")
    here = await tx.scalar(
        select(func.count())
        .select_from(RehearsalEntry)
        .where(col(RehearsalEntry.rehearsal_id) == rehearsal_id)
    )
    is_done = rehearsal.listed is not None and here >= rehearsal.listed
    state = RehearsalState.DONE if is_done else RehearsalState.COUNTING
    told = await _decided(tx, rule, rehearsal_id) if is_done else []
    fired = [one for one, decision in told if decision is Decision.FIRED]
    held = Counter(decision.value for _, decision in told if decision is not Decision.FIRED)
    return RehearsalOut(
        id=rehearsal.id,
        rule_id=rule.id,
        state=RehearsalState.REFUSED if rehearsal.problem else state,
        problem=rehearsal.problem,
        since=rehearsal.since,
        until=rehearsal.until,
        entries=rehearsal.entries,
        fired=len(fired) if is_done else None,
        held_back=dict(sorted(held.items())),
        listed=rehearsal.listed,
        as_now=rehearsal.as_now,
        would_fire=fired[:_SHOWN],
    )


async def _decided(tx: ReadTx, rule: Rule, rehearsal_id: UUID) -> list[tuple[WouldFire, Decision]]:
    """Decide on what would have been, as on what happens."""
    rows = await tx.scalars(
        select(RehearsalEntry)
        .where(col(RehearsalEntry.rehearsal_id) == rehearsal_id)
        .order_by(col(RehearsalEntry.at), col(RehearsalEntry.person_id))
    )
    pasts: dict[UUID, Past] = {}
    return [
        (
            WouldFire(person_id=row.person_id, at=row.at),
            decide(rule.policy, pasts.setdefault(row.person_id, Past()), row.at),
        )
        for row in rows
    ]
