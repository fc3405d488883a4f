"""Orders from shops and people at the telephone, over HTTP."""

from uuid import UUID

from fastapi import Request, Response

from kantis_kit.auth.policy import needs
from kantis_kit.web import Router, Write, require_match
from kantis_kit.web.deps import etag
from orders_svc.checkout import usecases
from orders_svc.orders import queries
from orders_svc.orders.schemas import LinesIn, OrderIn, OrderOut, PlacedOut
from orders_svc.orders.usecases import lock_order

router = Router(prefix="/v1/orders", tags=["orders"])


@router.post(
    "",
    policy=needs("orders:write"),
    status_code=201,
    responses={200: {"model": PlacedOut, "description": "The same order, placed before"}},
)
async def place_order(body: OrderIn, tx: Write, response: Response) -> PlacedOut:
    """Place an order and set its goods aside; what becomes of it when goods are short, it says itself."""
    taken = await usecases.take_order(tx, body)
    if not taken.is_new:
        response.status_code = 200
    response.headers["Location"] = f"/v1/orders/{taken.order.order_id}"
    response.headers["ETag"] = etag(taken.order.version)
    placed = [one for one in (taken.order, taken.back_order) if one is not None]
    shown, *rest = await queries.show_orders(tx, placed)
    return PlacedOut(**shown.model_dump(), back_order=rest[0] if rest else None)


@router.put("/{order_id}/lines", policy=needs("orders:write"))
async def change_lines(
    order_id: UUID, body: LinesIn, request: Request, tx: Write, response: Response
) -> OrderOut:
    """Give an order other lines until it is picked; what it had keeps its price. To take all away, cancel it."""
    goods = await queries.goods_of(tx, body.lines, (await queries.get_order(tx, order_id)).currency)
    order = await lock_order(tx, order_id)
    require_match(request, order.version)
    await usecases.change_lines(tx, order, goods)
    response.headers["ETag"] = etag(order.version)
    (shown,) = await queries.show_orders(tx, [order])
    return shown
