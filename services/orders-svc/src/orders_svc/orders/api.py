"""Orders over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from kantis_kit.auth.policy import needs
from kantis_kit.tx import ReadTx
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from kantis_kit.web.deps import etag
from orders_svc.orders import changes, queries
from orders_svc.orders.model import OrderState, SalesOrder
from orders_svc.orders.schemas import (
    OrderOut,
    SubstitutionIn,
)

router = Router(prefix="/v1/orders", tags=["orders"])


@router.get("", policy=needs("orders:read"))
async def list_orders(
    tx: Read,
    state: OrderState | None = None,
    person_id: UUID | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[OrderOut]:
    """Return orders in the sequence of their placing."""
    rows = await queries.list_orders(
        tx, state=state, person_id=person_id, after=id_after(cursor), limit=limit
    )
    more = encode_cursor(rows[-1].order_id) if len(rows) == limit else None
    return Page(items=await queries.show_orders(tx, rows), next_cursor=more)


@router.get("/{order_id}", policy=needs("orders:read"))
async def get_order(order_id: UUID, tx: Read, response: Response) -> OrderOut:
    """Return an order with its lines."""
    order = await queries.get_order(tx, order_id)
    response.headers["ETag"] = etag(order.version)
    return await _show(tx, order)


@router.post("/{order_id}/substitution", policy=needs("orders:write"))
async def accept_substitute(order_id: UUID, body: SubstitutionIn, tx: Write) -> OrderOut:
    """Send what the customer agrees to have instead of what the order waits for."""
    order = await changes.accept_substitute(tx, order_id, sku=body.sku, instead=body.instead)
    return await _show(tx, order)


async def _show(tx: ReadTx, order: SalesOrder) -> OrderOut:
    (shown,) = await queries.show_orders(tx, [order])
    return shown
