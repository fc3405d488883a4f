"""Read batches."""

from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from kantis_kit.tx import ReadTx
from orders_svc.desk.errors import BatchNotFound
from orders_svc.desk.model import Batch, Entry, Outcome
from orders_svc.desk.schemas import BatchOut, KeyerOut, TotalsOut


async def get_batch(tx: ReadTx, batch_id: UUID) -> Batch:
    """Return a batch. Raises `BatchNotFound`."""
    batch = await tx.get(Batch, batch_id)
    if batch is None:
        raise BatchNotFound(f"No batch has the id {batch_id}; GET /v1/desk/batches lists them")
    return batch


async def list_batches(
    tx: ReadTx, *, is_open: bool | None, after: UUID | None, limit: int
) -> list[Batch]:
    """Return a page of batches, in the sequence of their opening."""
    statement = select(Batch).order_by(col(Batch.batch_id)).limit(limit)
    if is_open is not None:
        closed = col(Batch.closed_at)
        statement = statement.where(closed.is_(None) if is_open else closed.is_not(None))
    if after is not None:
        statement = statement.where(col(Batch.batch_id) > after)
    return list(await tx.scalars(statement))


async def list_entries(
    tx: ReadTx, batch_id: UUID, *, outcome: Outcome | None, after: UUID | None, limit: int
) -> list[Entry]:
    """Return a page of what was keyed of a batch. Raises `BatchNotFound`."""
    await get_batch(tx, batch_id)
    statement = (
        select(Entry)
        .where(col(Entry.batch_id) == batch_id)
        .order_by(col(Entry.entry_id))
        .limit(limit)
    )
    if outcome is not None:
        statement = statement.where(col(Entry.outcome) == outcome.value)
    if after is not None:
        statement = statement.where(col(Entry.entry_id) > after)
    return list(await tx.scalars(statement))


async def totals_of(tx: ReadTx, batches: Iterable[Batch]) -> dict[UUID, TotalsOut]:
    """Return where batches stand."""
    listed = list(batches)
    rows = await tx.execute(
        select(
            col(Entry.batch_id),
            col(Entry.keyed_by),
            col(Entry.outcome),
            col(Entry.reason),
            func.count().label("pieces"),
        )
        .where(col(Entry.batch_id).in_([one.batch_id for one in listed]))
        .group_by(col(Entry.batch_id), col(Entry.keyed_by), col(Entry.outcome), col(Entry.reason))
    )
    found: dict[UUID, list[tuple[str, str, str, int]]] = {one.batch_id: [] for one in listed}
    for row in rows:
        found[row.batch_id].append((row.keyed_by, row.outcome, row.reason, row.pieces))
    return {one.batch_id: _sum(one.counted, found[one.batch_id]) for one in listed}


def _sum(counted: int, rows: Sequence[tuple[str, str, str, int]]) -> TotalsOut:
    keyed: Counter[tuple[str, str]] = Counter()
    reasons: Counter[str] = Counter()
    for keyed_by, outcome, reason, pieces in rows:
        keyed[keyed_by, outcome] += pieces
        if reason:
            reasons[reason] += pieces
    of = {
        outcome: sum(pieces for (_, one), pieces in keyed.items() if one == outcome)
        for outcome in Outcome
    }
    return TotalsOut(
        counted=counted,
        registered=of[Outcome.REGISTERED],
        rejected=of[Outcome.REJECTED],
        left=counted - sum(of.values()),
        rejected_for=dict(sorted(reasons.items())),
        keyers=[
            KeyerOut(
                keyed_by=name,
                registered=keyed[name, Outcome.REGISTERED],
                rejected=keyed[name, Outcome.REJECTED],
            )
            for name in sorted({name for name, _ in keyed})
        ],
    )


async def show_batches(tx: ReadTx, batches: Iterable[Batch]) -> list[BatchOut]:
    """Return batches with their totals."""
    listed = list(batches)
    totals = await totals_of(tx, listed)
    return [
        BatchOut(**one.model_dump(exclude={"counted"}), totals=totals[one.batch_id])
        for one in listed
    ]


async def show_batch(tx: ReadTx, batch: Batch) -> BatchOut:
    """Return a batch with its totals."""
    (shown,) = await show_batches(tx, [batch])
    return shown
