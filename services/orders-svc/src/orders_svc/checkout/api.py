"""Orders from shops and people at the telephone, over HTTP."""

from fastapi import Response

from kantis_kit.auth.policy import needs
from kantis_kit.web import Router, Write
from kantis_kit.web.deps import etag
from orders_svc.checkout import usecases
from orders_svc.orders import queries
from orders_svc.orders.schemas import OrderIn, PlacedOut

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
