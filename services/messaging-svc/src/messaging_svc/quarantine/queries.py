"""Read who we are, who sent last, and what waits."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, text

from kantis_kit.tx import ReadTx
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
_MAY_READ = text("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
_SYSTEM = text("SELECT system_identifier FROM pg_control_system()")
_ANY_MESSAGE = text("SELECT EXISTS (SELECT FROM dispatch)")

IS_HELD = "SELECT count(*) FROM sending WHERE held_since IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Identity:
    """The database that a transaction runs in; the cluster is unknown where our role may not ask for it."""

    database_oid: int
    system_identifier: int | None


async def get_identity(tx: ReadTx) -> Identity:
    """Return which database this is."""
    system = await tx.scalar(_SYSTEM) if await tx.scalar(_MAY_READ) else None
    return Identity(await tx.scalar(_OID), system)


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
