"""Returns over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from kantis_kit.auth.policy import needs
from kantis_kit.tx import ReadTx
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from orders_svc.returns import queries, usecases
from orders_svc.returns.model import GoodsReturn, ReturnState
from orders_svc.returns.schemas import CounterIn, ReceiveIn, ReturnIn, ReturnOut

router = Router(prefix="/v1/returns", tags=["returns"])
READ, WRITE = needs("orders:read"), needs("orders:write")


@router.post("", policy=WRITE, status_code=201)
async def announce_return(body: ReturnIn, tx: Write, response: Response) -> ReturnOut:
    """Note what a customer sends back: a withdrawal until its deadline, or a complaint."""
    made = await usecases.announce(tx, body)
    response.headers["Location"] = f"/v1/returns/{made.return_id}"
    return await _show(tx, made)


@router.get("", policy=READ)
async def list_returns(
    tx: Read,
    state: ReturnState | None = None,
    order_id: UUID | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ReturnOut]:
    """Return returns in the sequence of their announcing."""
    rows = await queries.list_returns(
        tx, state=state, order_id=order_id, after=id_after(cursor), limit=limit
    )
    more = encode_cursor(rows[-1].return_id) if len(rows) == limit else None
    return Page(items=await queries.show_returns(tx, rows), next_cursor=more)


@router.post("/unannounced", policy=WRITE, status_code=201)
async def receive_unannounced(body: CounterIn, tx: Write) -> ReturnOut:
    """Take in a parcel that nobody has announced, by the number of its order or its own."""
    made = await usecases.receive_unannounced(tx, body.code, body.found, reason=body.reason)
    return await _show(tx, made)


@router.get("/{return_id}", policy=READ)
async def get_return(return_id: UUID, tx: Read) -> ReturnOut:
    """Return a return with its lines."""
    return await _show(tx, await queries.get_return(tx, return_id))


@router.post("/{return_id}/receive", policy=WRITE)
async def receive_return(return_id: UUID, body: ReceiveIn, tx: Write) -> ReturnOut:
    """Take in what was found in the parcel, by scanning; it is credited and the customer told."""
    return await _show(tx, await usecases.receive(tx, return_id, body.found))


@router.post("/{return_id}/cancel", policy=WRITE)
async def cancel_return(return_id: UUID, tx: Write) -> ReturnOut:
    """Note that the customer keeps the goods."""
    return await _show(tx, await usecases.cancel(tx, return_id))


async def _show(tx: ReadTx, one: GoodsReturn) -> ReturnOut:
    (shown,) = await queries.show_returns(tx, [one])
    return shown
