"""Set how segments are cared for, and follow who is in them."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.care.errors import CareModelTwice, CareModelUnknown
from campaign_svc.care.model import CareMember, CareModel
from campaign_svc.care.schemas import CareIn
from kantis_contracts.contacts import SegmentChange, SegmentChangedV1
from kantis_kit.db import aliases
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx


async def make_model(tx: Tx, body: CareIn) -> CareModel:
    """Say how a segment is cared for. Raises `CareModelTwice`."""
    values = {
        "id": new_id(),
        "version": 1,
        "changed_by": tx.actor,
        "changed_at": tx.clock.now(),
        **body.model_dump(mode="json", exclude={"segment_id"}),
        "segment_id": body.segment_id,
    }
    made = await tx.scalar(
        insert(CareModel)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["segment_id"])
        .returning(col(CareModel.id))
    )
    if made is None:
        raise CareModelTwice(f"segment_id: {body.segment_id} has a care model; change that one")
    return CareModel(**values)


async def get_model(tx: ReadTx, model_id: UUID) -> CareModel:
    """Return a care model. Raises `CareModelUnknown`."""
    found = await tx.get(CareModel, model_id)
    if found is None:
        raise CareModelUnknown(f"There is no care model {model_id}")
    return found


async def lock_model(tx: Tx, model_id: UUID) -> CareModel:
    """Return a care model that nobody else changes meanwhile. Raises `CareModelUnknown`."""
    found: CareModel | None = await tx.scalar(
        select(CareModel).where(col(CareModel.id) == model_id).with_for_update()
    )
    if found is None:
        raise CareModelUnknown(f"There is no care model {model_id}")
    return found


async def list_models(tx: ReadTx, after: UUID | None, limit: int) -> list[CareModel]:
    """Return care models, the oldest first."""
    ordered = select(CareModel).order_by(col(CareModel.id)).limit(limit)
    if after is not None:
        ordered = ordered.where(col(CareModel.id) > after)
    return list(await tx.scalars(ordered))


def change_model(tx: Tx, model: CareModel, body: CareIn) -> None:
    """Change how a segment is cared for; the segment stays the one it is."""
    if body.segment_id != model.segment_id:
        raise CareModelTwice("segment_id: a care model stays with its segment; make another")
    for name, value in body.model_dump(mode="json", exclude={"segment_id"}).items():
        setattr(model, name, value)
    model.version, model.changed_by, model.changed_at = model.version + 1, tx.actor, tx.clock.now()


async def drop_model(tx: Tx, model_id: UUID) -> None:
    """Care for a segment no longer in a way of its own. Raises `CareModelUnknown`."""
    await tx.delete(await get_model(tx, model_id))


async def follow_segment(tx: Tx, event: SegmentChangedV1) -> None:
    """Keep who is in a segment that is cared for; of two news the higher revision holds, in any order."""
    is_cared_for = select(col(CareModel.id)).where(col(CareModel.segment_id) == event.segment_id)
    if await tx.scalar(is_cared_for) is None:
        return
    moves = {
        one.person_id: one
        for one in sorted(event.items, key=lambda one: one.at)
        if one.person_id is not None
    }
    if not moves:
        return
    known = await aliases.resolve(tx, person_alias, moves)
    rows = [
        {
            "id": new_id(),
            "segment_id": event.segment_id,
            "person_id": known.get(person_id, person_id),
            "merged_id": person_id if person_id in known else None,
            "revision": event.revision,
            "is_in": moves[person_id].change is SegmentChange.ENTERED,
            "changed_at": moves[person_id].at,
        }
        for person_id in sorted(moves)
    ]
    new = insert(CareMember).values(rows)
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=[
                col(CareMember.segment_id),
                func.coalesce(col(CareMember.merged_id), col(CareMember.person_id)),
            ],
            set_={name: new.excluded[name] for name in ("revision", "is_in", "changed_at")},
            where=col(CareMember.revision) < new.excluded.revision,
        )
    )
