"""Forget persons: what they did is counted on, and belongs to nobody any more."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Table, Uuid, delete, null, select, update

from analytics_svc.base import Base
from analytics_svc.privacy import events, queries
from kantis_contracts.contacts.privacy import DossierRequest, ErasureRequest
from kantis_contracts.privacy import PERSONAL
from kantis_kit import forgetting
from kantis_kit.db.sets import one_of
from kantis_kit.forgetting import Counts, list_forgotten, scrub_late
from kantis_kit.gathering import cut
from kantis_kit.tx import Tx

KEPT = {
    "fact": "what happened, for the figures; no longer linked to anybody",
}
"""Tables that stay, and why; rows of every other table that names a person are deleted."""
_LATE = timedelta(days=2)
_LATEST = 10_000


def doomed() -> list[Table]:
    """Return the tables whose rows about a person are deleted."""
    return [
        table
        for table in reversed(Base.metadata.sorted_tables)
        if "person_id" in table.c and table.name not in KEPT
    ]


async def forget(tx: Tx, requests: Sequence[ErasureRequest], *, is_reminder: bool = False) -> None:
    """Forget persons and answer with a receipt each."""
    done = await forgetting.forget(
        tx,
        requests,
        empty=_empty,
        count_kept=_count_kept,
        blanks=PERSONAL,
        is_reminder=is_reminder,
    )
    tx.stage(events.completed(done, KEPT, at=tx.clock.now()))


async def tell(tx: Tx, requests: Sequence[DossierRequest]) -> None:
    """Answer with everything that is held of persons, each in parts that travel."""
    for one in requests:
        found = await queries.gather(tx, one.person_ids)
        tx.stage(events.answered(one.dossier_id, cut(found), at=tx.clock.now()))


async def sweep(tx: Tx) -> None:
    """Empty what was written of persons who are forgotten since: an event came late."""
    ids = sorted(await list_forgotten(tx, limit=_LATEST))
    if ids:
        await _empty(tx, ids, Counts())
    await scrub_late(tx, PERSONAL, since=tx.clock.now() - _LATE)


async def _empty(tx: Tx, ids: Collection[UUID], counts: Counts) -> None:
    chosen = one_of(sorted(ids), Uuid())
    fact = Base.metadata.tables["fact"]
    # The id that stood there comes back from a copy of the row before: the update has emptied it.
    before = (
        select(fact.c.kind, fact.c.key, fact.c.person_id)
        .where(fact.c.person_id == chosen)
        .order_by(fact.c.kind, fact.c.key)
        .with_for_update()
        .cte("before")
    )
    await counts.run(
        tx,
        "fact",
        update(fact)
        .where(fact.c.kind == before.c.kind, fact.c.key == before.c.key)
        .values(person_id=null(), merged_id=null())
        .returning(before.c.person_id),
    )
    for table in doomed():
        await counts.run(
            tx,
            table.name,
            delete(table).where(table.c.person_id == chosen).returning(table.c.person_id),
        )


async def _count_kept(_tx: Tx, _ids: Collection[UUID]) -> dict[str, dict[UUID, int]]:
    # Facts are counted as they are emptied; nothing says any more whose they were.
    return {}
