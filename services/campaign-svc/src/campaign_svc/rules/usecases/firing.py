"""From what has become true of people to what is done about them, once each, with the facts of then."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson
from sqlalchemy import (
    Boolean,
    DateTime,
    Integer,
    Text,
    Uuid,
    cast,
    column,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col

from campaign_svc.actions.model import Job, Target, step_id
from campaign_svc.actions.usecases import act_all
from campaign_svc.aliases import person_alias
from campaign_svc.rules.model import Rule, RuleEntry, RuleMember
from campaign_svc.rules.policy import Past, decide, occasion
from campaign_svc.rules.schemas import Decision, RuleState
from kantis_contracts.contacts import ClauseFacts, ConditionMove, SegmentChange
from kantis_kit.db.aliases import placed, resolve
from kantis_kit.db.sets import one_of, row_set
from kantis_kit.tx import Tx

_MOMENT = DateTime(timezone=True)
_LATELY = timedelta(days=2)
_ANSWERING = (RuleState.ACTIVE.value, RuleState.PAUSED.value)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that became true of a person; `forced` where it was decided already why nothing is done."""

    person_id: UUID
    at: datetime
    occasion: str
    clauses: Sequence[Mapping[str, Any]] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    forced: Decision | None = None

    def without(self, decision: Decision) -> "Happening":
        """Return the same with the reason why nothing is done."""
        return replace(self, forced=decision)


async def follow_conditions(tx: Tx, moves: Sequence[ConditionMove]) -> None:
    """Have rules act on those of whom their conditions became true, and keep who is there for rules that wait for more."""
    rules: defaultdict[UUID, list[Rule]] = defaultdict(list)
    for rule in await _rules_of(tx, {one.segment_id for one in moves}):
        if rule.segment_id is not None:
            rules[rule.segment_id].append(rule)
    waiting = {
        key for key, some in rules.items() if any(one.trigger["type"] == "context" for one in some)
    }
    await _keep_members(tx, [one for one in moves if one.segment_id in waiting])
    happenings: dict[UUID, tuple[Rule, list[Happening]]] = {}
    for move in moves:
        for rule in rules[move.segment_id]:
            if rule.trigger["type"] == "segment" and move.change is SegmentChange.ENTERED:
                happenings.setdefault(rule.id, (rule, []))[1].append(_entry(move))
    await fire(tx, list(happenings.values()))


def _entry(move: ConditionMove) -> Happening:
    return Happening(
        move.person_id,
        move.at,
        move.at.isoformat(),
        [one.model_dump(mode="json") for one in move.clauses],
        _facts(move.clauses),
    )


async def _rules_of(tx: Tx, segment_ids: Collection[UUID]) -> list[Rule]:
    rows = await tx.scalars(
        select(Rule)
        .where(
            col(Rule.segment_id) == one_of(sorted(segment_ids), Uuid()),
            col(Rule.state).in_(_ANSWERING),
        )
        .order_by(col(Rule.id))
        .with_for_update(key_share=True)
    )
    return list(rows)


def _facts(clauses: Sequence[ClauseFacts]) -> dict[str, str]:
    """Return the facts of clauses in short, as messages keep them."""
    return {
        one.clause: ", ".join(
            f"{name.replace('_', ' ')} {value}"
            for name, value in one.facts.items()
            if value is not None and not isinstance(value, list | dict)
        )
        for one in clauses
    }


Decided = Mapping[tuple[UUID, UUID, str], Decision]
"""What was decided, by rule, person and occasion."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What one rule decided about one happening, and what is done."""

    id: UUID
    rule: Rule
    happening: Happening
    decision: Decision
    target: Target | None


async def fire(tx: Tx, asked: Sequence[tuple[Rule, Sequence[Happening]]]) -> Decided:
    """Decide on what became true of people and act on it; return what was decided.

    The rules are locked, so that decisions about one rule are made one after the other. What was decided on before is
    left alone.
    """
    people = {one.person_id for _, happenings in asked for one in happenings}
    if not people:
        return {}
    leads = await resolve(tx, person_alias, people)
    known = {one: leads.get(one, one) for one in people}
    pasts = await _pasts(tx, [rule.id for rule, _ in asked], set(known.values()))
    verdicts = [
        verdict for rule, happenings in asked for verdict in _decide(rule, happenings, known, pasts)
    ]
    new = await _keep(tx, verdicts)
    told = [one for one in verdicts if one.id in new]
    await act_all(tx, [_job(rule, told) for rule, _ in asked])
    return {
        (one.rule.id, one.happening.person_id, one.happening.occasion): one.decision for one in told
    }


def _job(rule: Rule, told: Sequence[_Verdict]) -> Job:
    targets = [one.target for one in told if one.rule is rule and one.target is not None]
    return Job(rule.asker, rule.does, list({one.step_id: one for one in targets}.values()))


def _decide(
    rule: Rule,
    happenings: Sequence[Happening],
    known: Mapping[UUID, UUID],
    pasts: Mapping[tuple[UUID, UUID], Past],
) -> Iterator[_Verdict]:
    by_entry = {_entry_id(rule, one): one for one in happenings}
    for key, one in sorted(by_entry.items(), key=lambda pair: (pair[1].at, pair[0])):
        person_id = known[one.person_id]
        decision = one.forced or (
            decide(rule.policy, pasts[rule.id, person_id], one.at)
            if rule.state == RuleState.ACTIVE
            else Decision.PAUSED
        )
        target = None
        if decision is Decision.FIRED:
            because = [str(clause["clause"]) for clause in one.clauses if clause["holds"]]
            key_of_step = step_id(rule.asker, person_id, _occasion(rule, one))
            target = Target(one.person_id, key_of_step, because, one.facts)
        yield _Verdict(key, rule, one, decision, target)


def _entry_id(rule: Rule, one: Happening) -> UUID:
    return uuid5(rule.id, f"entry|{one.person_id}|{one.occasion}")


def _occasion(rule: Rule, one: Happening) -> str:
    found = occasion(rule.policy, one.at)
    return one.occasion if found == one.at.isoformat() else found


async def _pasts(
    tx: Tx, rule_ids: Sequence[UUID], people: Collection[UUID]
) -> defaultdict[tuple[UUID, UUID], Past]:
    """Return when rules have acted about these people: the last time ever, and all times of the last days."""
    at, lately = col(RuleEntry.at), tx.clock.now() - _LATELY
    rows = await tx.execute(
        select(
            col(RuleEntry.rule_id),
            col(RuleEntry.person_id),
            func.max(at).label("last"),
            func.array_agg(at).filter(at > lately).label("lately"),
        )
        .where(
            col(RuleEntry.rule_id) == one_of(sorted(rule_ids), Uuid()),
            col(RuleEntry.person_id) == one_of(sorted(people), Uuid()),
            col(RuleEntry.decision) == Decision.FIRED.value,
        )
        .group_by(col(RuleEntry.rule_id), col(RuleEntry.person_id))
    )
    found: defaultdict[tuple[UUID, UUID], Past] = defaultdict(Past)
    for row in rows:
        found[row.rule_id, row.person_id] = Past([row.last, *(row.lately or ())])
    return found


async def _keep(tx: Tx, verdicts: Sequence[_Verdict]) -> set[UUID]:
    """Keep decisions; return the ids of those that are new. What was decided on before stays as it was."""
    names = ("id", "rule_id", "rule_version", "at", "decision", "step_id")
    new = row_set(
        "new",
        (
            column("id", Uuid), column("rule_id", Uuid), column("rule_version", Integer), column("at", _MOMENT),
            column("decision", Text), column("step_id", Uuid), column("clauses", Text), column("person_id", Uuid),
        ),
        [
            (
                one.id,
                one.rule.id,
                one.rule.version,
                one.happening.at,
                one.decision.value,
                one.target.step_id if one.target else None,
                orjson.dumps(list(one.happening.clauses)).decode(),
                one.happening.person_id,
            )
            for one in sorted(verdicts, key=lambda each: each.id)
        ],
    )  # fmt: skip
    stood = placed(person_alias, new)
    kept = await tx.scalars(
        insert(RuleEntry)
        .from_select(
            [*names, "clauses", "person_id", "merged_id", "decided_at"],
            select(
                *(new.c[name] for name in names),
                cast(new.c.clauses, JSONB),
                stood.stands,
                stood.came,
                literal(tx.clock.now(), _MOMENT),
            ).select_from(stood.source),
        )
        .on_conflict_do_nothing()
        .returning(col(RuleEntry.id))
    )
    return set(kept)


async def _keep_members(tx: Tx, moves: Sequence[ConditionMove]) -> None:
    """Keep of whom conditions are true; of two news of a person the later one holds."""
    if not moves:
        return
    last = {(one.segment_id, one.person_id): one for one in sorted(moves, key=lambda each: each.at)}
    new = row_set(
        "new",
        (
            column("segment_id", Uuid), column("person_id", Uuid), column("is_in", Boolean),
            column("at", _MOMENT),
        ),
        [(*key, last[key].change is SegmentChange.ENTERED, last[key].at) for key in sorted(last)],
    )  # fmt: skip
    put = insert(RuleMember).from_select(
        ["segment_id", "person_id", "is_in", "changed_at"], select(*new.c)
    )
    await tx.execute(
        put.on_conflict_do_update(
            index_elements=["segment_id", "person_id"],
            set_={"is_in": put.excluded.is_in, "changed_at": put.excluded.changed_at},
            where=col(RuleMember.changed_at) <= put.excluded.changed_at,
        )
    )


async def members_among(tx: Tx, segment_id: UUID, people: Collection[UUID]) -> set[UUID]:
    """Return of whom of these people a condition is true now."""
    leads = await resolve(tx, person_alias, people)
    rows = await tx.scalars(
        select(col(RuleMember.person_id)).where(
            col(RuleMember.segment_id) == segment_id,
            col(RuleMember.person_id)
            == one_of(sorted({leads.get(one, one) for one in people}), Uuid()),
            col(RuleMember.is_in) == true(),
        )
    )
    there = set(rows)
    return {one for one in people if leads.get(one, one) in there}
