"""Hold sending where the database is not the one that sent last, and let it go on when a person says so."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, text, update
from sqlalchemy.dialects.postgresql import insert

from kantis_kit.tx import Tx
from messaging_svc.openings.usecases import WAKE
from messaging_svc.quarantine import queries
from messaging_svc.quarantine.errors import SendingNotHeld
from messaging_svc.quarantine.model import sending
from messaging_svc.quarantine.queries import Identity

CLOCK_TOLERANCE = timedelta(minutes=5)
"""Machines of one installation may disagree by so much."""

# A new fence: whoever comes late with an outcome of before changes nothing.
_SENT = text(
    """
    UPDATE dispatch SET state = 'accepted', rule = 'reconciled', reason = :reason, settled_at = :now,
        is_announced = false, claimed_by = NULL, claimed_until = NULL, fence = fence + 1
    WHERE state IN ('planned', 'claimed', 'handed_over', 'in_doubt')
      AND rfc_message_id = ANY(cast(:message_ids AS text[]))
    RETURNING id
    """
)


async def check(tx: Tx, known: int, *, is_start: bool) -> str:
    """Hold sending when this database is not the one that sent last; return the reason, empty when it may send.

    The first start on a database stores which one it is.

    Args:
        tx: where the row is read and written.
        known: the highest epoch that this sender or its folder has seen; 0 when there is none.
        is_start: compare the clock, too. A running sender does not: its clock may be set right at any time.
    """
    here = await queries.get_identity(tx)
    last = await queries.find_last(tx)
    if last is None:
        last = await _store(tx, here, known)
    if last.held_since is not None:
        return str(last.reason)
    reason = _difference(tx, last, here, known, is_start=is_start)
    if reason:
        await _hold(tx, here, known, reason)
    return reason


async def _store(tx: Tx, here: Identity, known: int) -> Row[Any]:
    """Make the row; where a folder has seen sending and the database has old messages only, leave the epoch behind."""
    is_older = known > 0 and await queries.has_messages(tx)
    values = {
        "is_only": True,
        "database_oid": here.database_oid,
        "system_identifier": here.system_identifier,
        "epoch": 0 if is_older else known,
        "seen_at": tx.clock.now(),
        "reason": "",
    }
    await tx.execute(insert(sending).values(**values).on_conflict_do_nothing())
    # Another sender may have been first: what it has stored is what counts.
    last = await queries.find_last(tx, lock=True)
    if last is None:
        message = "the row of the sending database vanished while it was made"
        raise RuntimeError(message)
    return last


def _difference(tx: Tx, last: Row[Any], here: Identity, known: int, *, is_start: bool) -> str:
    if last.database_oid != here.database_oid:
        return "This database was made anew since the last mail was sent: it was restored or copied"
    if None not in (last.system_identifier, here.system_identifier) and (
        last.system_identifier != here.system_identifier
    ):
        return "This is another PostgreSQL server than the one that sent the last mail"
    if last.epoch < known:
        return f"The database is older than its sender: it knows epoch {last.epoch}, the sender epoch {known}"
    if is_start and tx.clock.now() < last.seen_at - CLOCK_TOLERANCE:
        return f"The clock stands before the last sending, which was at {last.seen_at:%Y-%m-%d %H:%M:%S} UTC"
    return ""


async def _hold(tx: Tx, here: Identity, known: int, reason: str) -> None:
    await tx.execute(
        update(sending)
        .where(sending.c.held_since.is_(None))
        .values(
            database_oid=here.database_oid,
            system_identifier=here.system_identifier,
            epoch=func.greatest(sending.c.epoch, known),
            held_since=tx.clock.now(),
            reason=reason,
        )
    )
    tx.audit("messages.hold", "sending", reason=reason)


async def advance(tx: Tx) -> int | None:
    """Begin the next epoch and return its number; None while sending is held."""
    number: int | None = await tx.scalar(
        update(sending)
        .where(sending.c.held_since.is_(None))
        .values(epoch=sending.c.epoch + 1, seen_at=func.greatest(sending.c.seen_at, tx.clock.now()))
        .returning(sending.c.epoch)
    )
    return number


async def record_sent(tx: Tx, message_ids: Sequence[str], *, reason: str) -> int:
    """Record what waits and was sent already, as the mail server's log says; return how many messages that were.

    Raises:
        SendingNotHeld: mails go out, so that what waits may be on its way.
    """
    # Locked: no release may come between the question and the record.
    last = await queries.find_last(tx, lock=True)
    if last is None or last.held_since is None:
        raise SendingNotHeld("Only while sending is held can messages be recorded as sent before")
    wanted = sorted({f"<{one.strip().strip('<>')}>" for one in message_ids})
    values = {"message_ids": wanted, "reason": reason, "now": tx.clock.now()}
    recorded = len((await tx.scalars(_SENT, values)).all())
    tx.audit("messages.reconcile", "sending", reason=reason, recorded=recorded)
    await tx.execute(WAKE)
    return recorded


async def release(tx: Tx, *, reason: str) -> None:
    """Let sending go on from this database.

    Raises:
        SendingNotHeld: it is not held.
    """
    here = await queries.get_identity(tx)
    held = await tx.scalar(
        update(sending)
        .where(sending.c.held_since.is_not(None))
        .values(
            database_oid=here.database_oid,
            system_identifier=here.system_identifier,
            seen_at=tx.clock.now(),
            held_since=None,
        )
        .returning(sending.c.reason)
    )
    if held is None:
        raise SendingNotHeld("Sending is not held; mails go out")
    tx.audit("messages.release", "sending", reason=reason, was_held_because=held)
    await tx.execute(WAKE)
