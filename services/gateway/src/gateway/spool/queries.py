"""Reads of the spool."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from gateway.spool.model import Spooled
from kantis_kit.db.database import Database
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


_LINES = """
SELECT path FROM unnest($1::text[]) AS asked (path)
WHERE EXISTS (SELECT FROM spool WHERE spool.path = asked.path AND state = 'waiting')
"""


async def lines_of(database: Database, paths: Collection[str]) -> set[str]:
    """Return of which forms older leads wait: a new one must not overtake them.

    One statement for many, on a raw connection: every lead that passes asks.
    """
    pool = await database.keyed_pool()
    rows = await pool.fetch(_LINES, list(paths))
    return {row["path"] for row in rows}
