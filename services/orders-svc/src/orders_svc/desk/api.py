"""The desk that keys what came in by post, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from kantis_kit.auth.policy import needs
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from orders_svc.desk import queries, usecases
from orders_svc.desk.model import Outcome
from orders_svc.desk.schemas import (
    BatchIn,
    BatchOut,
    CloseIn,
    EntryIn,
    EntryOut,
    PieceOut,
    RejectedOut,
    RejectIn,
)
from orders_svc.responses.placing import shown

router = Router(prefix="/v1/desk/batches", tags=["response desk"])


@router.post("", policy=needs("orders:write"), status_code=201)
async def open_batch(body: BatchIn, tx: Write, response: Response) -> BatchOut:
    """Open a batch of pieces that were counted in; `name` them as they lie on the desk."""
    batch = await usecases.open_batch(tx, body)
    response.headers["Location"] = f"/v1/desk/batches/{batch.batch_id}"
    return await queries.show_batch(tx, batch)


@router.get("", policy=needs("orders:read"))
async def list_batches(
    tx: Read,
    *,
    is_open: bool | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[BatchOut]:
    """Return batches with their totals, in the sequence of their opening."""
    rows = await queries.list_batches(tx, is_open=is_open, after=id_after(cursor), limit=limit)
    more = encode_cursor(rows[-1].batch_id) if len(rows) == limit else None
    return Page(items=await queries.show_batches(tx, rows), next_cursor=more)


@router.get("/{batch_id}", policy=needs("orders:read"))
async def get_batch(batch_id: UUID, tx: Read) -> BatchOut:
    """Return a batch and where it stands."""
    return await queries.show_batch(tx, await queries.get_batch(tx, batch_id))


@router.get("/{batch_id}/entries", policy=needs("orders:read"))
async def list_entries(
    batch_id: UUID,
    tx: Read,
    *,
    outcome: Outcome | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[PieceOut]:
    """Return what was keyed of a batch, in its sequence."""
    rows = await queries.list_entries(
        tx, batch_id, outcome=outcome, after=id_after(cursor), limit=limit
    )
    more = encode_cursor(rows[-1].entry_id) if len(rows) == limit else None
    return Page(items=[PieceOut.model_validate(row) for row in rows], next_cursor=more)


@router.post(
    "/{batch_id}/entries",
    policy=needs("orders:write"),
    status_code=201,
    responses={200: {"model": EntryOut, "description": "The same piece, registered before"}},
)
async def key_entry(batch_id: UUID, body: EntryIn, tx: Write, response: Response) -> EntryOut:
    """Key a piece in one call: code, wishes, answers, corrected address; the batch's totals are in the answer."""
    entry_id, registered, totals = await usecases.key_entry(tx, batch_id, body)
    if entry_id is None:
        response.status_code = 200
    return EntryOut(
        entry_id=entry_id,
        is_new=entry_id is not None,
        responses=[shown(one) for one in registered],
        totals=totals,
    )


@router.post("/{batch_id}/rejects", policy=needs("orders:write"), status_code=201)
async def reject_piece(batch_id: UUID, body: RejectIn, tx: Write) -> RejectedOut:
    """Note a piece that makes no response, and why."""
    entry_id, totals = await usecases.reject_piece(tx, batch_id, body)
    return RejectedOut(entry_id=entry_id, totals=totals)


@router.post("/{batch_id}/close", policy=needs("orders:write"))
async def close_batch(batch_id: UUID, body: CloseIn, tx: Write) -> BatchOut:
    """Close a batch that balances: counted in = registered + rejected."""
    batch = await usecases.close_batch(tx, batch_id, body)
    return await queries.show_batch(tx, batch)
