"""What is decided about duplicates."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.quality.errors import DuplicateDecided, DuplicateUnknown
from contacts_svc.quality.kinds import PairState
from contacts_svc.quality.model import DuplicatePair
from kantis_kit.tx import Tx


async def dismiss(tx: Tx, pair_id: UUID) -> DuplicatePair:
    """Say that the two are not the same person.

    Raises:
        DuplicateUnknown: no such pair.
        DuplicateDecided: they were merged.
    """
    pair: DuplicatePair | None = await tx.scalar(
        select(DuplicatePair).where(col(DuplicatePair.id) == pair_id).with_for_update()
    )
    if pair is None:
        raise DuplicateUnknown("GET /v1/duplicates lists those that wait for a decision")
    if pair.state == PairState.MERGED:
        raise DuplicateDecided("The two were merged; undo the merge instead")
    if pair.state == PairState.OPEN:
        pair.state, pair.decided_at, pair.decided_by = (
            PairState.DISMISSED,
            tx.clock.now(),
            tx.actor,
        )
    return pair
