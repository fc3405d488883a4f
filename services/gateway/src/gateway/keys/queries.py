"""Reads of keys."""

from uuid import UUID

from sqlmodel import col, select

from gateway.keys.model import ApiKey
from kantis_kit.tx import ReadTx


async def find_by_prefix(tx: ReadTx, prefix: str) -> ApiKey | None:
    """Return the key of this prefix, good or not."""
    found: ApiKey | None = await tx.scalar(select(ApiKey).where(col(ApiKey.prefix) == prefix))
    return found


async def list_keys(tx: ReadTx, *, after: UUID | None, limit: int) -> list[ApiKey]:
    """Return keys in the order of their making."""
    statement = select(ApiKey).order_by(col(ApiKey.id)).limit(limit)
    if after is not None:
        statement = statement.where(col(ApiKey.id) > after)
    return list(await tx.scalars(statement))
