"""Reads of how large segments are."""

from uuid import UUID

from campaign_svc.audiences.model import SegmentSize
from campaign_svc.audiences.schemas import AudienceOut
from kantis_kit.tx import ReadTx


async def find_audience(tx: ReadTx, segment_id: UUID) -> AudienceOut | None:
    """Return how large a segment is; None for one that announces nothing."""
    size = await tx.get(SegmentSize, segment_id)
    return None if size is None else AudienceOut.model_validate(size)
