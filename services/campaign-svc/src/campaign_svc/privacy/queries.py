"""Everything that campaign holds of a person."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, select

from campaign_svc.base import Base
from kantis_kit.db.sets import one_of
from kantis_kit.gathering import Rows, rows_of
from kantis_kit.tx import ReadTx


async def gather(tx: ReadTx, ids: Sequence[UUID]) -> dict[str, Rows]:
    """Return what campaign holds of a person under these ids."""
    chosen = one_of(sorted(ids), Uuid())
    tables = Base.metadata.tables
    found = {
        name: await rows_of(tx, table, table.c.person_id == chosen)
        for name, table in tables.items()
        if "person_id" in table.c
    }
    piece, outcome, campaign = tables["piece"], tables["outcome"], tables["campaign"]
    theirs = select(piece.c.id).where(piece.c.person_id == chosen)
    found["outcome"] = await rows_of(tx, outcome, outcome.c.piece_id.in_(theirs))
    for one in found["piece"]:  # which campaign it was, in words
        row = await tx.execute(
            select(campaign.c.name).where(campaign.c.id == UUID(one["campaign_id"]))
        )
        one["campaign_name"] = row.scalar() or ""
    return {kind: rows for kind, rows in found.items() if rows}
