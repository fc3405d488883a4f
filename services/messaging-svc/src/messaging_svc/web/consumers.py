"""Who comes into segments and leaves them."""

from kantis_contracts.contacts import SegmentChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from messaging_svc.web import usecases


@consumes(SegmentChangedV1, queue="messaging.web", sink=True)
async def on_segment_changed(tx: Tx, event: SegmentChangedV1, _meta: Meta) -> None:
    """Keep who is in a segment that a place uses."""
    await usecases.follow_segment(tx, event)
