"""Reads of the spool."""

from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from gateway.spool.model import WAITING, Spooled
from kantis_kit.tx import ReadTx


async def list_spooled(
    tx: ReadTx, *, after: UUID | None, limit: int, state: str | None = None
) -> list[Spooled]:
    """Return leads in the order of their coming."""
    statement = select(Spooled).order_by(col(Spooled.id)).limit(limit)
    if state is not None:
        statement = statement.where(col(Spooled.state) == state)
    if after is not None:
        statement = statement.where(col(Spooled.id) > after)
    return list(await tx.scalars(statement))


async def count(tx: ReadTx) -> int:
    """Return how many leads there are, of any state."""
    found: int = await tx.scalar(select(func.count()).select_from(Spooled))
    return found


async def is_waiting(tx: ReadTx, path: str) -> bool:
    """Say whether an older lead of this form waits: a new one must not overtake it."""
    found = await tx.scalar(
        select(Spooled.id).where(col(Spooled.path) == path, col(Spooled.state) == WAITING).limit(1)
    )
    return found is not None
