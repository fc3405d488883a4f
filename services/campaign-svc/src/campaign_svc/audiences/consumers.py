"""Events that tell how large segments are."""

from campaign_svc.audiences import usecases
from kantis_contracts.contacts import SegmentChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(SegmentChangedV1, queue="campaign.audiences")
async def on_segment_changed(tx: Tx, event: SegmentChangedV1, _meta: Meta) -> None:
    """Somebody came into a segment or left it."""
    await usecases.follow_segment(tx, event)
