"""Reads of the spool."""

from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from gateway.spool.model import Spooled
from kantis_kit.tx import ReadTx


async def list_spooled(tx: ReadTx, *, after: UUID | None, limit: int) -> list[Spooled]:
    """Return leads in the order of their coming."""
    statement = select(Spooled).order_by(col(Spooled.id)).limit(limit)
    if after is not None:
        statement = statement.where(col(Spooled.id) > after)
    return list(await tx.scalars(statement))


async def count(tx: ReadTx) -> int:
    """Return how many leads there are, of any state."""
    found: int = await tx.scalar(select(func.count()).select_from(Spooled))
    return found
