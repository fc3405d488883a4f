"""Everything that analytics holds of a person."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid

from analytics_svc.base import Base
from kantis_kit.db.sets import one_of
from kantis_kit.gathering import Rows, rows_of
from kantis_kit.tx import ReadTx


async def gather(tx: ReadTx, ids: Sequence[UUID]) -> dict[str, Rows]:
    """Return what analytics holds of a person under these ids."""
    chosen = one_of(sorted(ids), Uuid())
    found = {
        name: await rows_of(tx, table, table.c.person_id == chosen)
        for name, table in Base.metadata.tables.items()
        if "person_id" in table.c
    }
    return {kind: rows for kind, rows in found.items() if rows}
