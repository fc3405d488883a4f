"""Settle messages of which nobody knows whether they were sent: by a person's word, or by the relay's log."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import BigInteger, Text, case, func, literal, select, update

from kantis_kit.tx import Tx
from messaging_svc.base import Moment, Uid
from messaging_svc.dispatch.errors import LaunchNotFound, MessageNotFound, NotInDoubt
from messaging_svc.dispatch.model import State, dispatch, dispatch_source
from messaging_svc.dispatch.relaylog import RelayLog
from messaging_svc.openings.usecases import WAKE
from messaging_svc.sets import recordset

Outcome = Literal["sent", "failed", "not_sent"]
_STATES = {"sent": State.ACCEPTED, "failed": State.FAILED, "not_sent": State.PLANNED}
BY_HAND, BY_LOG = "resolved_by_hand", "settled_by_log"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is known of a message now, and from what."""

    id: UUID
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Settled:
    """How many messages a log has settled, and how many are in doubt still."""

    lines: int
    sent: int
    failed: int
    not_sent: int
    left: int


async def settle(tx: Tx, settlements: Sequence[Settlement], rule: str) -> set[UUID]:
    """Write what is known of messages in doubt; what was not sent is planned again. Returns those that were in doubt."""
    if not settlements:
        return set()
    now = tx.clock.now()
    new = recordset(
        "new",
        [
            {"id": one.id, "state": _STATES[one.outcome].value, "reason": one.reason}
            for one in sorted(settlements, key=lambda one: one.id)
        ],
        id=Uid, state=Text(), reason=Text(),
    )  # fmt: skip
    is_end = new.c.state != State.PLANNED.value
    changed = await tx.scalars(
        update(dispatch)
        .where(dispatch.c.id == new.c.id, dispatch.c.state == State.IN_DOUBT.value)
        .values(
            state=new.c.state,
            settled_at=case((is_end, literal(now, Moment))),
            next_at=case((is_end, dispatch.c.next_at), else_=literal(now, Moment)),
            rule=rule,
            reason=new.c.reason,
            is_announced=False,
            # Whoever handed it over and comes back late finds another fence and changes nothing.
            fence=dispatch.c.fence + literal(1, BigInteger()),
        )
        .returning(dispatch.c.id)
    )
    await tx.execute(WAKE)
    return set(changed)


async def resolve_one(tx: Tx, message_id: UUID, outcome: Outcome, reason: str) -> None:
    """Record what a person found out about a message in doubt; one that was not sent is planned again.

    Raises:
        MessageNotFound: there is no such message.
        NotInDoubt: it is not in doubt (any more).
    """
    if not await settle(tx, [Settlement(message_id, outcome, reason)], BY_HAND):
        state = await tx.scalar(select(dispatch.c.state).where(dispatch.c.id == message_id))
        if state is None:
            raise MessageNotFound("No message has this id")
        raise NotInDoubt(f"The message is {state}; only a message in doubt can be resolved")
    tx.audit("messages.resolve", str(message_id), outcome=outcome, reason=reason)


async def resolve_many(
    tx: Tx, message_ids: Collection[UUID], outcome: Outcome, reason: str
) -> set[UUID]:
    """Record what a person found out about many messages; returns those that were in doubt."""
    resolved = await settle(tx, [Settlement(one, outcome, reason) for one in message_ids], BY_HAND)
    tx.audit("messages.resolve", f"{len(resolved)} messages", outcome=outcome, reason=reason)
    return resolved


async def resolve_launch(tx: Tx, launch_id: UUID, outcome: Outcome, reason: str) -> set[UUID]:
    """Record what a person found out about everything of a launch that is in doubt.

    Raises:
        LaunchNotFound: nothing of such a launch is here.
    """
    sources = select(dispatch_source.c.id).where(dispatch_source.c.launch_id == launch_id)
    if (await tx.scalars(sources.limit(1))).first() is None:
        raise LaunchNotFound("No message belongs to a launch with this id")
    found = await tx.scalars(
        select(dispatch.c.id).where(
            dispatch.c.source_id.in_(sources), dispatch.c.state == State.IN_DOUBT.value
        )
    )
    return await resolve_many(tx, list(found), outcome, reason)


async def settle_by_log(tx: Tx, log: RelayLog, *, is_complete: bool) -> Settled:
    """Settle what is in doubt by the log of the relay that took our mails.

    Args:
        tx: where it is written.
        log: what was read.
        is_complete: a person answers for it that the log holds everything since the first of the messages in doubt was
            handed over: what is not in it was not sent, and is planned again.
    """
    in_doubt = (
        await tx.execute(
            select(dispatch.c.id, dispatch.c.rfc_message_id).where(
                dispatch.c.state == State.IN_DOUBT.value
            )
        )
    ).all()
    known: list[Settlement] = []
    for row in in_doubt:
        fate = log.fates.get(row.rfc_message_id)
        if fate is not None:
            known.append(Settlement(row.id, "sent" if fate.is_accepted else "failed", fate.words))
        elif is_complete:
            known.append(Settlement(row.id, "not_sent", "the relay's log does not know it"))
    changed = await settle(tx, known, BY_LOG)
    counts = {
        outcome: sum(one.outcome == outcome and one.id in changed for one in known)
        for outcome in ("sent", "failed", "not_sent")
    }
    left = await tx.scalar(
        select(func.count()).select_from(dispatch).where(dispatch.c.state == State.IN_DOUBT.value)
    )
    settled = Settled(lines=log.lines, left=left or 0, **counts)
    tx.audit("messages.settle", "relay's log", **asdict(settled), is_complete=is_complete)
    return settled
