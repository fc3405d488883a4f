"""Key what came in by post: pieces are counted in, each is registered or rejected, and the batch balances.

Those who key a batch share its row and do not wait for each other; who closes it waits for them.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from kantis_contracts.orders import ResponseWay
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.codes.usecases import refuse_slips
from orders_svc.desk.errors import BatchFull, BatchNotFound, BatchUnbalanced
from orders_svc.desk.model import Batch, Entry, Outcome
from orders_svc.desk.queries import totals_of
from orders_svc.desk.schemas import BatchIn, CloseIn, EntryIn, RejectIn, TotalsOut
from orders_svc.orders.queries import goods_of
from orders_svc.responses.placing import Registered
from orders_svc.responses.usecases import ResponseDraft, register_responses


async def open_batch(tx: Tx, body: BatchIn) -> Batch:
    """Open a batch of pieces that were counted in."""
    batch = Batch(
        batch_id=new_id(),
        name=body.name,
        way=body.way.value,
        counted=body.counted,
        opened_by=tx.actor,
        opened_at=tx.clock.now(),
    )
    tx.add(batch)
    return batch


async def key_entry(
    tx: Tx, batch_id: UUID, body: EntryIn
) -> tuple[UUID | None, list[Registered], TotalsOut]:
    """Register a piece: a response for each of its wishes, what is placed with them, and where the batch stands.

    What came before is given back and the piece is not counted: nothing of it is stored.

    Raises:
        BatchNotFound, BatchClosed, BatchFull: nothing can be keyed in it.
        CodeMistaken: the check character of the code does not fit.
        PersonUnknown: no card of the person is here.
        Invalid: a line names no product.
    """
    batch = await _join(tx, batch_id)
    if body.code:
        await refuse_slips(tx, [body.code])
    entry = Entry(
        entry_id=new_id(),
        batch_id=batch_id,
        outcome=Outcome.REGISTERED.value,
        response_code=body.code,
        keyed_by=body.keyed_by or tx.actor,
        keyed_at=tx.clock.now(),
    )
    registered = await register_responses(tx, await _drafts(tx, batch, entry, body))
    if not any(one.is_new for one in registered):
        return None, registered, (await totals_of(tx, [batch]))[batch_id]
    return entry.entry_id, registered, await _keep(tx, batch, entry)


async def reject_piece(tx: Tx, batch_id: UUID, body: RejectIn) -> tuple[UUID, TotalsOut]:
    """Note a piece that makes no response.

    Raises:
        BatchNotFound, BatchClosed, BatchFull: nothing can be keyed in it.
    """
    batch = await _join(tx, batch_id)
    entry = Entry(
        entry_id=new_id(),
        batch_id=batch_id,
        outcome=Outcome.REJECTED.value,
        response_code=body.code or None,
        reason=body.reason.value,
        note=body.note,
        keyed_by=body.keyed_by or tx.actor,
        keyed_at=tx.clock.now(),
    )
    return entry.entry_id, await _keep(tx, batch, entry)


async def close_batch(tx: Tx, batch_id: UUID, body: CloseIn) -> Batch:
    """Close a batch whose pieces are all registered or rejected; a difference needs somebody who accepts it.

    Raises:
        BatchNotFound: no batch has this id.
        BatchClosed: somebody has closed it.
        BatchUnbalanced: the pieces that were counted in are not those that were keyed.
    """
    batch: Batch | None = await tx.scalar(
        select(Batch).where(col(Batch.batch_id) == batch_id).with_for_update()
    )
    if batch is None:
        raise BatchNotFound(f"No batch has the id {batch_id}")
    batch.must_be_open()
    batch.counted = body.counted or batch.counted
    totals = (await totals_of(tx, [batch]))[batch_id]
    if totals.left and not body.accept_difference:
        raise BatchUnbalanced(_why_not(totals), **totals.model_dump(mode="json"))
    batch.closed_by, batch.closed_at = body.closed_by or tx.actor, tx.clock.now()
    batch.difference, batch.note = totals.left, body.note
    return batch


def _why_not(totals: TotalsOut) -> str:
    keyed = totals.registered + totals.rejected
    side = (
        "key or reject the others"
        if totals.left > 0
        else "some were keyed twice or belong to another batch"
    )
    return (
        f"{totals.counted} pieces were counted in and {keyed} keyed ({totals.registered} registered,"
        f" {totals.rejected} rejected), a difference of {totals.left}: {side}, send the right number as counted, or"
        " close it with accept_difference and a note"
    )


async def _join(tx: Tx, batch_id: UUID) -> Batch:
    batch: Batch | None = await tx.scalar(
        select(Batch).where(col(Batch.batch_id) == batch_id).with_for_update(read=True)
    )
    if batch is None:
        raise BatchNotFound(f"No batch has the id {batch_id}; POST /v1/desk/batches opens one")
    batch.must_be_open()
    return batch


async def _keep(tx: Tx, batch: Batch, entry: Entry) -> TotalsOut:
    tx.add(entry)
    await tx.flush()  # it counts in the totals of its own answer
    totals = (await totals_of(tx, [batch]))[batch.batch_id]
    if totals.left < 0:
        raise BatchFull(
            f"{totals.counted} pieces were counted in and as many are keyed; count again and close the batch with the"
            " right number, or key this piece in another batch",
            **totals.model_dump(mode="json"),
        )
    return totals


async def _drafts(tx: Tx, batch: Batch, entry: Entry, body: EntryIn) -> Sequence[ResponseDraft]:
    correction = body.address_correction.model_dump() if body.address_correction else None
    return [
        ResponseDraft(
            kind=wish.kind,
            way=ResponseWay(batch.way),
            code=body.code,
            person_id=body.person_id,
            quantity=wish.quantity,
            lines=await goods_of(tx, wish.lines),
            address_correction=correction,
            # One piece answers its questions once, however many wishes it has.
            answers=tuple(one.model_dump() for one in body.answers) if not number else (),
            note=wish.note,
            again=wish.again,
            keyed_by=entry.keyed_by,
            entry_id=entry.entry_id,
        )
        for number, wish in enumerate(body.wishes)
    ]
