"""Everything that analytics holds of a person."""

from collections.abc import Sequence
from uuid import UUID

from analytics_svc.base import Base
from kantis_kit.gathering import Rows, rows_naming
from kantis_kit.tx import ReadTx


async def gather(tx: ReadTx, ids: Sequence[UUID]) -> dict[str, Rows]:
    """Return what analytics holds of a person under these ids."""
    found = await rows_naming(tx, Base.metadata, ids)
    return {kind: rows for kind, rows in found.items() if rows}
