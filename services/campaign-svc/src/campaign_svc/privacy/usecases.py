"""Forget persons: why they were chosen goes, that a piece went out stays for the figures."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Table, Uuid, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from campaign_svc.base import Base
from campaign_svc.privacy import events, queries
from kantis_contracts.contacts.privacy import DossierRequest, ErasureRequest
from kantis_contracts.privacy import PERSONAL
from kantis_kit import forgetting
from kantis_kit.db.sets import one_of
from kantis_kit.forgetting import Counts, list_forgotten, scrub_late
from kantis_kit.gathering import cut
from kantis_kit.tx import Tx

KEPT = {
    "piece": "that somebody got a piece, for the figures and so that none is sent twice; emptied, names nobody",
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
    piece = Base.metadata.tables["piece"]
    await counts.run(
        tx,
        "piece",
        update(piece)
        .where(
            piece.c.person_id == chosen,
            (piece.c.because != literal([], JSONB())) | (piece.c.reason != ""),
        )
        .values(because=literal([], JSONB()), reason="")
        .returning(piece.c.person_id),
    )
    for table in doomed():
        await counts.run(
            tx,
            table.name,
            delete(table).where(table.c.person_id == chosen).returning(table.c.person_id),
        )


async def _count_kept(tx: Tx, ids: Collection[UUID]) -> dict[str, dict[UUID, int]]:
    found: dict[str, dict[UUID, int]] = {}
    for name in KEPT:
        table = Base.metadata.tables[name]
        rows = await tx.execute(
            select(table.c.person_id, func.count())
            .where(table.c.person_id == one_of(sorted(ids), Uuid()))
            .group_by(table.c.person_id)
        )
        found[name] = {one[0]: one[1] for one in [tuple(row) for row in rows]}
    return found
