"""Everything that campaign holds of a person."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, select

from campaign_svc.base import Base
from kantis_kit.db.sets import one_of
from kantis_kit.gathering import Rows, rows_naming, rows_of
from kantis_kit.tx import ReadTx


async def gather(tx: ReadTx, ids: Sequence[UUID]) -> dict[str, Rows]:
    """Return what campaign holds of a person under these ids."""
    chosen = one_of(sorted(ids), Uuid())
    tables = Base.metadata.tables
    found = await rows_naming(tx, Base.metadata, ids)
    piece, outcome, campaign = tables["piece"], tables["outcome"], tables["campaign"]
    theirs = select(piece.c.id).where(piece.c.person_id == chosen)
    found["outcome"] = await rows_of(tx, outcome, outcome.c.piece_id.in_(theirs))
    run, visit = tables["programme_run"], tables["programme_visit"]
    walked = select(run.c.id).where(run.c.person_id == chosen)
    found["programme_visit"] = await rows_of(tx, visit, visit.c.run_id.in_(walked))
    campaigns = sorted({UUID(one["campaign_id"]) for one in found["piece"]})
    named = await tx.execute(
        select(campaign.c.id, campaign.c.name).where(campaign.c.id == one_of(campaigns, Uuid()))
    )
    names = {str(row.id): row.name for row in named}
    for one in found["piece"]:  # which campaign it was, in words
        one["campaign_name"] = names.get(one["campaign_id"], "")
    return {kind: rows for kind, rows in found.items() if rows}
