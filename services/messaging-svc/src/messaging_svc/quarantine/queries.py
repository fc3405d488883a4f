"""Read who we are, who sent last, and what waits."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.exc import DBAPIError

from kantis_kit.tx import ReadTx, Tx
from messaging_svc.quarantine.model import sending
from messaging_svc.quarantine.schemas import SendingOut, WaitingOut

# Each part has a partial index of its own.
_WAITING = text(
    """
    SELECT state, count(*) AS messages FROM dispatch WHERE state = 'planned' GROUP BY state
    UNION ALL
    SELECT state, count(*) FROM dispatch WHERE state IN ('claimed', 'handed_over') GROUP BY state
    UNION ALL
    SELECT state, count(*) FROM dispatch WHERE state = 'in_doubt' GROUP BY state
    """
)
_OID = text("SELECT oid::bigint FROM pg_database WHERE datname = current_database()")
_SYSTEM = text("SELECT system_identifier FROM pg_control_system()")
_ANY_MESSAGE = text("SELECT EXISTS (SELECT FROM dispatch)")

_NOT_ALLOWED = "42501"
IS_HELD = "SELECT count(*) FROM sending WHERE held_since IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Identity:
    """The database that a transaction runs in; the cluster is unknown where it cannot be asked for."""

    database_oid: int
    system_identifier: int | None


async def get_identity(tx: Tx) -> Identity:
    """Return which database this is."""
    return Identity(await tx.scalar(_OID), await _find_system(tx))


async def _find_system(tx: Tx) -> int | None:
    # The server reads a file by its full path for this: our role may lack the right to ask, and the server may lack
    # the right to pass a folder on the way, even for a moment. Neither is a reason to stop sending.
    try:
        async with tx.savepoint():
            found: int | None = await tx.scalar(_SYSTEM)
            return found
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
            raise
        return None


async def find_last(tx: ReadTx, *, lock: bool = False) -> Row[Any] | None:
    """Return what is known of the database that sent last; None before the first sender's start."""
    statement = select(sending)
    return (await tx.execute(statement.with_for_update() if lock else statement)).first()


async def has_messages(tx: ReadTx) -> bool:
    """Return whether a message was ever planned here."""
    return bool(await tx.scalar(_ANY_MESSAGE))


async def get_sending(tx: ReadTx) -> SendingOut:
    """Return whether sending is held, why, and how much waits."""
    last = await find_last(tx)
    counts = {row.state: row.messages for row in await tx.execute(_WAITING)}
    states = ("planned", "claimed", "handed_over", "in_doubt")
    return SendingOut(
        held=last is not None and last.held_since is not None,
        reason=last.reason if last else "",
        since=last.held_since if last else None,
        waiting=WaitingOut(**{state: counts.get(state, 0) for state in states}),
    )
