"""Reads of the seed list."""

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.seeds.model import Seed
from campaign_svc.seeds.schemas import SeedOut
from kantis_kit.tx import ReadTx

MOST = 100
"""Addresses on the list at most."""


async def list_seeds(tx: ReadTx) -> list[SeedOut]:
    """Return the whole list, the oldest first."""
    rows = await tx.scalars(select(Seed).order_by(col(Seed.id)).limit(MOST))
    return [SeedOut.model_validate(row) for row in rows]
