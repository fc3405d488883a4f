"""The response desk over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from kantis_contracts.codes import normal
from kantis_contracts.orders import ResponseKind
from kantis_kit.auth.policy import needs
from kantis_kit.web import Page, Read, Router, Write, encode_cursor
from kantis_kit.web.schemas import Instant
from orders_svc.codes.usecases import refuse_slips
from orders_svc.orders.queries import goods_of
from orders_svc.paging import due_after
from orders_svc.responses import placing, queries, usecases
from orders_svc.responses.model import NextStep, ResponseState
from orders_svc.responses.schemas import (
    AnswerIn,
    OrderAgainIn,
    RegisteredOut,
    ResponseIn,
    ResponseOut,
)

router = Router(prefix="/v1/responses", tags=["responses"])


@router.post(
    "",
    policy=needs("orders:write"),
    status_code=201,
    responses={200: {"model": RegisteredOut, "description": "The same answer, registered before"}},
)
async def register_response(body: ResponseIn, tx: Write, response: Response) -> RegisteredOut:
    """Register an answer keyed by hand; an order is placed and its goods set aside in the same step."""
    draft = usecases.ResponseDraft(
        kind=body.kind,
        way=body.way,
        code=body.code,
        person_id=body.person_id,
        quantity=body.quantity,
        lines=await goods_of(tx, body.lines),
        address_correction=body.address_correction.model_dump()
        if body.address_correction
        else None,
        answers=tuple(one.model_dump() for one in body.answers),
        note=body.note,
        again=body.again,
    )
    if body.code:
        await refuse_slips(tx, [body.code])
    (registered,) = await usecases.register_responses(tx, [draft])
    if body.if_sold_out == "refuse":
        placing.refuse_shortage(registered)
    if not registered.is_new:
        response.status_code = 200
    response.headers["Location"] = f"/v1/responses/{registered.response.response_id}"
    return placing.shown(registered)


@router.get("", policy=needs("orders:read"))
async def list_responses(
    tx: Read,
    *,
    state: ResponseState | None = None,
    kind: ResponseKind | None = None,
    code: Annotated[str | None, Query(max_length=40, pattern=r"^[A-Za-z0-9 -]*$")] = None,
    next_step: NextStep | None = None,
    due_before: Annotated[
        Instant | None, Query(description="With now and state=open: what is late")
    ] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ResponseOut]:
    """Return responses, those that are due first in front: with `state=open`, the queue of what is to be done."""
    rows = await queries.list_responses(
        tx,
        state=state,
        kind=kind,
        code=normal(code) if code else None,
        next_step=next_step,
        due_before=due_before,
        after=due_after(cursor),
        limit=limit,
    )
    last = rows[-1] if len(rows) == limit else None
    more = encode_cursor(last.due_at.isoformat(), last.response_id) if last else None
    return Page(items=[ResponseOut.model_validate(row) for row in rows], next_cursor=more)


@router.get("/{response_id}", policy=needs("orders:read"))
async def get_response(response_id: UUID, tx: Read) -> ResponseOut:
    """Return a response."""
    return ResponseOut.model_validate(await queries.get_response(tx, response_id))


@router.post("/{response_id}/answer", policy=needs("orders:write"))
async def answer_response(response_id: UUID, body: AnswerIn, tx: Write) -> ResponseOut:
    """Note the answer that a person got; the two-working-day clock stops."""
    return ResponseOut.model_validate(
        await usecases.answer_response(tx, response_id, note=body.note)
    )


@router.post("/{response_id}/order", policy=needs("orders:write"))
async def order_for_response(response_id: UUID, body: OrderAgainIn, tx: Write) -> RegisteredOut:
    """Place the order of a response that waits for goods, or for somebody to choose them."""
    lines = await goods_of(tx, body.lines)
    return placing.shown(await usecases.order_for_response(tx, response_id, lines))
