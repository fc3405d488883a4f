"""What became of the pieces: sent or not, answered, ordered, paid. Any order, any number of times."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text, Uuid, and_, column, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.campaigns.model import Outcome, Piece, standing
from campaign_svc.campaigns.schemas import PieceState
from campaign_svc.campaigns.usecases.waves import advance, release_wave
from kantis_contracts.messaging import Settled
from kantis_contracts.orders import OrderCard, ResponseRegistered
from kantis_kit.db.aliases import resolve
from kantis_kit.db.sets import one_of, row_set
from kantis_kit.tx import Tx


@dataclass(frozen=True, slots=True)
class _Entry:
    piece_id: UUID
    kind: str
    source_id: UUID
    at: datetime


_MOMENT = DateTime(timezone=True)


async def settle_pieces(tx: Tx, items: Sequence[Settled]) -> None:
    """Keep what became of the pieces' messages; what is known for certain is never taken back by doubt."""
    best: dict[UUID, Settled] = {}
    for item in items:
        if item.piece_id is None:
            continue
        held = best.get(item.piece_id)
        if held is None or _standing(item) > _standing(held):
            best[item.piece_id] = item
    # In the order of the key, so that two consumers lock rows in the same order.
    rows = await tx.execute(
        select(col(Piece.id), col(Piece.launch_id), col(Piece.state), col(Piece.settled_at))
        .where(col(Piece.id) == one_of(list(best), Uuid()))
        .order_by(col(Piece.id))
        .with_for_update()
    )
    known: set[UUID] = set()
    changes: list[tuple[UUID, str, str, datetime]] = []
    newly: Counter[UUID] = Counter()
    for row in rows:
        known.add(row.id)
        item = best[row.id]
        if _standing(item) > standing(row.state, row.settled_at):
            changes.append((row.id, item.state.value, item.reason[:500], item.settled_at))
            if row.state == PieceState.RELEASED:
                newly[row.launch_id] += 1
    await _enter(
        tx,
        [
            _Entry(item.piece_id, item.state.value, item.message_id, item.settled_at)
            for item in items
            if item.piece_id in known
        ],
    )
    await _change(tx, changes)
    for launch_id in sorted(newly):
        await advance(tx, launch_id, settled=newly[launch_id])
        await release_wave(tx, launch_id)


def _standing(item: Settled) -> tuple[int, float, int]:
    return standing(item.state.value, item.settled_at)


async def _change(tx: Tx, changes: Sequence[tuple[UUID, str, str, datetime]]) -> None:
    if not changes:
        return
    new = row_set(
        "new",
        (column("id", Uuid), column("state", Text), column("reason", Text), column("at", _MOMENT)),
        changes,
    )
    await tx.execute(
        update(Piece)
        .where(col(Piece.id) == new.c.id)
        .values(state=new.c.state, reason=new.c.reason, settled_at=new.c.at)
        .execution_options(synchronize_session=False)
    )


async def _enter(tx: Tx, entries: Iterable[_Entry]) -> None:
    """Write the ledger of outcomes; what stands there already stays."""
    unique = {(one.piece_id, one.kind, one.source_id): one for one in entries}
    if not unique:
        return
    new = row_set(
        "new",
        (
            column("piece_id", Uuid), column("kind", Text), column("source_id", Uuid), column("at", _MOMENT),
        ),
        [(*key, one.at) for key, one in sorted(unique.items())],
    )  # fmt: skip
    await tx.execute(
        insert(Outcome)
        .from_select(["piece_id", "kind", "source_id", "at"], select(*new.c))
        .on_conflict_do_nothing()
    )


async def mark_responses(tx: Tx, items: Sequence[ResponseRegistered]) -> None:
    """Keep that pieces were answered; an answer finds its piece by id or by the code that was keyed."""
    ids = [item.piece_id for item in items if item.piece_id]
    response_codes = [item.response_code for item in items]
    rows = await tx.execute(
        select(col(Piece.id), col(Piece.response_code))
        .where(
            or_(
                col(Piece.id) == one_of(ids, Uuid()),
                col(Piece.response_code) == one_of(response_codes, Text()),
            )
        )
        .order_by(col(Piece.id))
        .with_for_update()
    )
    by_key: dict[UUID | str, UUID] = {}
    for row in rows:
        by_key[row.id] = by_key[row.response_code] = row.id
    entries = [
        _Entry(piece_id, "responded", item.response_id, item.responded_at)
        for item in items
        if (piece_id := by_key.get(item.piece_id or "") or by_key.get(item.response_code))
    ]
    await _enter(tx, entries)
    await _mark(tx, entries, "responded")


async def mark_orders(tx: Tx, items: Sequence[OrderCard], kind: str) -> None:
    """Keep that persons have `ordered` or `paid` after a campaign's piece."""
    wanted = {(item.campaign_id, item.person_id) for item in items if item.campaign_id}
    if not wanted:
        return
    leads = await resolve(tx, person_alias, [item.person_id for item in items])
    stands = {(campaign_id, leads.get(person_id, person_id)) for campaign_id, person_id in wanted}
    asked = row_set(
        "asked", (column("campaign_id", Uuid), column("person_id", Uuid)), sorted(stands)
    )
    rows = await tx.execute(
        select(col(Piece.id), col(Piece.campaign_id), col(Piece.person_id), col(Piece.merged_id))
        .join(
            asked,
            and_(
                col(Piece.campaign_id) == asked.c.campaign_id,
                col(Piece.person_id) == asked.c.person_id,
            ),
        )
        .order_by(col(Piece.id))
        .with_for_update(of=Piece)
    )
    pieces: dict[tuple[UUID, UUID], UUID] = {}
    for row in rows:
        # Two records of one person have a piece each: that of the one who is named, else the first.
        pieces[row.campaign_id, row.merged_id or row.person_id] = row.id
        pieces.setdefault((row.campaign_id, row.person_id), row.id)
    entries = [
        _Entry(piece_id, kind, item.order_id, item.changed_at)
        for item in items
        if item.campaign_id
        and (
            piece_id := pieces.get((item.campaign_id, item.person_id))
            or pieces.get((item.campaign_id, leads.get(item.person_id, item.person_id)))
        )
    ]
    await _enter(tx, entries)
    await _mark(tx, entries, kind)


async def _mark(tx: Tx, entries: Sequence[_Entry], kind: str) -> None:
    """Set the piece's mark to the earliest moment that anything says."""
    first: dict[UUID, datetime] = {}
    for entry in entries:
        first[entry.piece_id] = min(entry.at, first.get(entry.piece_id, entry.at))
    if not first:
        return
    new = row_set("new", (column("id", Uuid), column("at", _MOMENT)), sorted(first.items()))
    mark = {"responded": Piece.responded_at, "ordered": Piece.ordered_at, "paid": Piece.paid_at}[
        kind
    ]
    await tx.execute(
        update(Piece)
        .where(col(Piece.id) == new.c.id)
        .values({col(mark): func.least(col(mark), new.c.at)})
        .execution_options(synchronize_session=False)
    )
