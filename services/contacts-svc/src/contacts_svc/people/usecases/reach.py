"""Evidence of reachability: kept once, judged as a whole, told when the judgement changes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import DateTime, Text, Uuid, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.national import refuse_national_numbers
from contacts_svc.people import queries
from contacts_svc.people.errors import ContactInvalid
from contacts_svc.people.model import (
    Identifier,
    Origin,
    PostalAddress,
    ReachEvidence,
)
from contacts_svc.people.reachability import ARRIVED, Judgement, Outcome, judge, outcome_of_failure
from contacts_svc.people.usecases.save import announce, history_row, write_history
from kantis_contracts.messaging import AddressReport, Engagement, Reply, Settled, SettledState
from kantis_contracts.values import Channel
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

BATCH = 1_000
_LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
_SOURCE = "messaging"
_KIND_OF = {Channel.EMAIL: "email", Channel.SMS: "phone", Channel.PHONE: "phone"}


@dataclass(frozen=True, slots=True)
class Target:
    """An identifier or a postal address of a person."""

    person_id: UUID
    identifier_id: UUID | None = None
    address_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What happened at a target; one external id counts once."""

    target: Target
    outcome: Outcome
    occurred_at: datetime
    source: str
    detail: str = ""
    external_id: str | None = None


async def record_evidence(tx: Tx, items: Sequence[Evidence]) -> None:
    """Keep evidence and judge the addresses anew; the same told twice changes nothing.

    Raises:
        ContactInvalid: it has not happened yet.
    """
    now = tx.clock.now()
    if not items:
        return
    refuse_national_numbers({"items": [one.detail for one in items]})
    if any(one.occurred_at > now for one in items):
        raise ContactInvalid("occurred_at: lies in the future; tell what has happened")
    if any(one.occurred_at < _LONG_AGO for one in items):
        raise ContactInvalid("occurred_at: lies before 1990; tell the year with four digits")
    table = table_of(ReachEvidence)
    rows = [
        ReachEvidence(
            id=new_id(),
            person_id=one.target.person_id,
            identifier_id=one.target.identifier_id,
            postal_address_id=one.target.address_id,
            outcome=one.outcome.value,
            source=one.source,
            detail=one.detail,
            external_id=one.external_id,
            occurred_at=one.occurred_at,
            recorded_at=now,
            actor=tx.actor,
        ).model_dump()
        for one in items
    ]
    new = await tx.execute(
        insert(table).on_conflict_do_nothing().returning(table.c.person_id), rows
    )
    concerned = set(new.scalars())
    dead = {
        one.target.person_id
        for one in items
        if one.outcome is Outcome.DECEASED and one.target.person_id in concerned
    }
    await _silence(tx, dead)
    await judge_persons(tx, concerned)


async def _silence(tx: Tx, person_ids: Iterable[UUID]) -> None:
    for person_id in sorted(person_ids):
        person = await queries.get_for_update(tx, person_id)
        if not person.do_not_contact:
            person.do_not_contact = True
            person.version += 1
            person.updated_at = tx.clock.now()
            told = {"do_not_contact": [False, True]}
            origin = Origin(tx.actor, reason=Outcome.DECEASED.value)
            await write_history(tx, [history_row(person, origin, None, told)])
            await announce(tx, {person.id: person})


async def judge_persons(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Judge every address of these persons; write and tell what has changed, one statement per step."""
    chosen = sorted(set(person_ids))
    if not chosen:
        return
    people = await queries.lock_people(tx, chosen)
    evidence = await _evidence_of(tx, people.keys())
    told: dict[UUID, dict[str, list[str]]] = defaultdict(dict)
    for model in (Identifier, PostalAddress):
        await _judge(tx, model, people.keys(), evidence, told)
    for person_id in told:
        people[person_id].version += 1
        people[person_id].updated_at = tx.clock.now()
    await write_history(
        tx, [history_row(people[key], Origin(tx.actor), None, said) for key, said in told.items()]
    )
    await announce(tx, {key: people[key] for key in told})


async def _evidence_of(
    tx: Tx, person_ids: Iterable[UUID]
) -> dict[UUID, list[tuple[Outcome, datetime]]]:
    rows = await tx.execute(
        select(
            col(ReachEvidence.identifier_id),
            col(ReachEvidence.postal_address_id),
            col(ReachEvidence.outcome),
            col(ReachEvidence.occurred_at),
        ).where(
            col(ReachEvidence.person_id) == queries.any_of(person_ids),
            col(ReachEvidence.undone_at).is_(None),
        )
    )
    found: dict[UUID, list[tuple[Outcome, datetime]]] = defaultdict(list)
    for identifier_id, address_id, outcome, at in plain(rows):
        found[identifier_id or address_id].append((Outcome(outcome), at))
    return found


async def _judge(
    tx: Tx,
    model: type[Identifier] | type[PostalAddress],
    person_ids: Iterable[UUID],
    evidence: dict[UUID, list[tuple[Outcome, datetime]]],
    told: dict[UUID, dict[str, list[str]]],
) -> None:
    now = tx.clock.now()
    held = await tx.scalars(select(model).where(col(model.person_id) == queries.any_of(person_ids)))
    changed: dict[UUID, Judgement] = {}
    for one in held:
        found = judge(evidence.get(one.id, ()), now=now)
        before = Judgement(one.reachability, one.reach_reason, one.reach_changes_at)
        if found == before:
            continue
        changed[one.id] = found
        if found.state != one.reachability:
            name = one.value if isinstance(one, Identifier) else one.kind
            told[one.person_id][f"reachability.{name}"] = [one.reachability, found.state.value]
    if not changed:
        return
    rows = column_set(
        "judged",
        {
            "id": (Uuid(), list(changed)),
            "state": (Text(), [found.state.value for found in changed.values()]),
            "reason": (Text(), [found.reason for found in changed.values()]),
            "changes_at": (
                DateTime(timezone=True),
                [found.changes_at for found in changed.values()],
            ),
        },
    )
    table = table_of(model)
    await tx.execute(
        update(table)
        .where(table.c.id == rows.c.id)
        .values(
            reachability=rows.c.state,
            reach_reason=rows.c.reason,
            reach_changes_at=rows.c.changes_at,
        )
        .execution_options(synchronize_session=False)
    )


async def undo_evidence(tx: Tx, target: Target, *, reason: str) -> None:
    """Take back what made an address undeliverable, because somebody knows better; the evidence stays, marked."""
    refuse_national_numbers({"reason": reason})
    await tx.execute(
        update(table_of(ReachEvidence))
        .where(
            or_(
                col(ReachEvidence.identifier_id) == target.identifier_id,
                col(ReachEvidence.postal_address_id) == target.address_id,
            ),
            col(ReachEvidence.outcome).not_in([one.value for one in ARRIVED]),
            col(ReachEvidence.undone_at).is_(None),
        )
        .values(undone_at=tx.clock.now())
    )
    person = await queries.get_for_update(tx, target.person_id)
    told = {"reachability": ["undone", reason]}
    origin = Origin(tx.actor, reason=reason)
    row = history_row(person, origin, None, told)
    await write_history(tx, [(*row[:2], tx.clock.now(), *row[3:])])
    await judge_persons(tx, [target.person_id])


async def decay(tx: Tx) -> None:
    """Judge addresses whose state is too old to be believed."""
    for model in (Identifier, PostalAddress):
        due = await tx.scalars(
            select(col(model.person_id))
            .where(col(model.reach_changes_at) <= tx.clock.now())
            .order_by(col(model.reach_changes_at))
            .limit(BATCH)
        )
        await judge_persons(tx, due)


async def take_settled(tx: Tx, items: Sequence[Settled]) -> None:
    """Learn from messages that a carrier has refused for good; what is our own fault says nothing of an address."""
    failed = [
        (one.person_id, one, outcome)
        for one in items
        if one.state is SettledState.FAILED and one.channel in _KIND_OF
        if (outcome := outcome_of_failure(one.reason)) is not None
    ]
    await _learn(
        tx,
        [
            _Told(
                person_id,
                _KIND_OF[one.channel],
                one.settled_at,
                outcome,
                f"{one.message_id}:{outcome}",
            )
            for person_id, one, outcome in failed
            if person_id
        ],
    )


async def take_engagements(tx: Tx, items: Sequence[Engagement], outcome: Outcome) -> None:
    """Learn from messages that people have opened or followed; what a machine did proves nothing."""
    await _learn(
        tx,
        [
            _Told(
                one.person_id,
                _KIND_OF[one.channel],
                one.seen_at,
                outcome,
                f"{one.message_id}:{outcome}",
            )
            for one in items
            if one.verdict == "human" and one.person_id and one.channel in _KIND_OF
        ],
    )


async def take_reports(tx: Tx, items: Sequence[AddressReport]) -> None:
    """Learn from messages that arrived, or came back after their carrier had taken them; in any order."""
    told = [
        _Told(
            one.person_id,
            _KIND_OF[one.channel],
            one.occurred_at,
            Outcome(one.outcome.value),
            str(one.report_id),
        )
        for one in items
        if one.channel in _KIND_OF
    ]
    await _learn(tx, told)
    undone = [one for one in items if one.is_undone]
    if not undone:
        return
    # What is taken back before it was heard of has been kept just now, and counts for nothing from here on.
    await tx.execute(
        update(table_of(ReachEvidence))
        .where(
            col(ReachEvidence.person_id) == queries.any_of({one.person_id for one in undone}),
            col(ReachEvidence.source) == _SOURCE,
            col(ReachEvidence.external_id).in_([str(one.report_id) for one in undone]),
            col(ReachEvidence.undone_at).is_(None),
        )
        .values(undone_at=tx.clock.now())
    )
    await judge_persons(tx, {one.person_id for one in undone})


async def take_replies(tx: Tx, items: Sequence[Reply]) -> None:
    """Learn that people have answered: who writes from an address can be reached there."""
    await _learn(
        tx,
        [
            _Told(
                one.person_id,
                _KIND_OF[one.channel],
                one.received_at,
                Outcome.REPLIED,
                str(one.reply_id),
            )
            for one in items
            if one.person_id and one.channel in _KIND_OF
        ],
    )


@dataclass(frozen=True, slots=True)
class _Told:
    person_id: UUID
    kind: str
    at: datetime
    outcome: Outcome
    external_id: str


async def _learn(tx: Tx, told: Sequence[_Told]) -> None:
    people = {one.person_id for one in told}
    held = await queries.list_identifiers(tx, people) if people else {}
    first = {
        (one.person_id, one.kind): one for found in held.values() for one in found if one.is_primary
    }
    now = tx.clock.now()
    items = []
    for one in told:
        identifier = first.get((one.person_id, one.kind))
        # The address may have been changed since the message went out.
        if identifier is None or identifier.created_at > one.at:
            continue
        items.append(
            Evidence(
                Target(one.person_id, identifier_id=identifier.id),
                one.outcome,
                min(one.at, now),
                _SOURCE,
                "",
                one.external_id,
            )
        )
    await record_evidence(tx, items)
