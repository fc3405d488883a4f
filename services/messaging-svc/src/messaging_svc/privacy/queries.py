"""Everything that messaging holds of a person."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from kantis_kit.db.sets import one_of
from kantis_kit.gathering import Rows, rows_naming, rows_of
from kantis_kit.tx import ReadTx
from messaging_svc.base import Uid, metadata
from messaging_svc.dispatch.model import dispatch

_TECHNICAL = (
    "claimed_by",
    "claimed_until",
    "fence",
    "next_at",
    "is_announced",
    "email_hash",
    "phone_hash",
)
"""How a message is worked on; tells nothing of anybody."""


async def gather(tx: ReadTx, ids: Sequence[UUID]) -> dict[str, Rows]:
    """Return what messaging holds of a person under these ids."""
    chosen = one_of(sorted(ids), Uid)
    found = await rows_naming(tx, metadata, ids, without=_TECHNICAL)
    engagement = metadata.tables["engagement"]
    theirs = select(dispatch.c.id).where(dispatch.c.person_id == chosen)
    found[engagement.name] = await rows_of(tx, engagement, engagement.c.message_id.in_(theirs))
    return {kind: rows for kind, rows in found.items() if rows}
