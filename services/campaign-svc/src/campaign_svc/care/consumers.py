"""Who comes into segments that are cared for, and who leaves them."""

from campaign_svc.care import usecases
from kantis_contracts.contacts import SegmentChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(SegmentChangedV1, queue="campaign.care")
async def on_segment_changed(tx: Tx, event: SegmentChangedV1, _meta: Meta) -> None:
    """Keep who is in the segment, when it has a care model."""
    await usecases.follow_segment(tx, event)
