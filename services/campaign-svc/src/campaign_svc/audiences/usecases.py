"""Keep how large segments are."""

from sqlalchemy import case, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.audiences.model import SegmentSize
from kantis_contracts.contacts import SegmentChange, SegmentChangedV1
from kantis_kit.tx import Tx


async def follow_segment(tx: Tx, event: SegmentChangedV1) -> None:
    """Add who came and went, and take over the number of members when it is newer; events come in any order."""
    changes = [item.change for item in event.items]
    new = insert(SegmentSize).values(
        segment_id=event.segment_id,
        name=event.segment_name,
        revision=event.revision,
        members=event.members,
        entered=changes.count(SegmentChange.ENTERED),
        gone=changes.count(SegmentChange.LEFT),
        changed_at=max(item.at for item in event.items),
    )
    is_newer = col(SegmentSize.revision) < new.excluded.revision
    newest = {
        name: case((is_newer, new.excluded[name]), else_=getattr(SegmentSize, name))
        for name in ("name", "revision", "members")
    }
    sums = {name: getattr(SegmentSize, name) + new.excluded[name] for name in ("entered", "gone")}
    latest = func.greatest(col(SegmentSize.changed_at), new.excluded.changed_at)
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["segment_id"], set_={**newest, **sums, "changed_at": latest}
        )
    )
