"""Tell the other services of merges that they were never told of."""

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.quality import events
from contacts_svc.quality.kinds import MergeState
from contacts_svc.quality.model import Merge
from kantis_kit.tx import Tx

AT_ONCE = 1_000


async def tell(tx: Tx) -> int:
    """Tell of merges of releases that did not tell, the oldest first and a bounded number at a time; return how many.

    With the version that the merge itself would have told: who was told all the same drops it, and an undoing is newer.
    What was undone before anybody was told, or belongs to somebody erased, leads nowhere and is not told.
    """
    rows = list(
        await tx.scalars(
            select(Merge)
            .where(col(Merge.told_at).is_(None), col(Merge.state) == MergeState.DONE)
            .order_by(col(Merge.merged_at))
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
    )
    if rows:
        tx.stage(
            events.persons_merged((row, int(row.kept["person"]["version"]) + 1) for row in rows)
        )
    for row in rows:
        row.told_at = tx.clock.now()
    return len(rows)
