"""Pick, ship and cancel over HTTP."""

from uuid import UUID

from kantis_kit.auth.policy import needs
from kantis_kit.tx import Tx
from kantis_kit.web import Router, Write
from orders_svc.fulfilment import usecases
from orders_svc.fulfilment.schemas import ShipIn
from orders_svc.orders.model import SalesOrder
from orders_svc.orders.queries import show_orders
from orders_svc.orders.schemas import OrderOut

router = Router(prefix="/v1/orders", tags=["fulfilment"])


@router.post("/{order_id}/pick", policy=needs("orders:write"))
async def pick_order(order_id: UUID, tx: Write) -> OrderOut:
    """Begin to pick an order."""
    return await _show(tx, await usecases.pick_order(tx, order_id))


@router.post("/{order_id}/ship", policy=needs("orders:write"))
async def ship_order(order_id: UUID, tx: Write, body: ShipIn | None = None) -> OrderOut:
    """Hand an order over to the carrier; its invoice is issued with it."""
    given = body or ShipIn()
    return await _show(tx, await usecases.ship_order(tx, order_id, tracking=given.tracking))


@router.post("/{order_id}/cancel", policy=needs("orders:write"))
async def cancel_order(order_id: UUID, tx: Write) -> OrderOut:
    """Call an order off before it ships; its goods are for sale again."""
    return await _show(tx, await usecases.cancel_order(tx, order_id))


async def _show(tx: Tx, order: SalesOrder) -> OrderOut:
    (shown,) = await show_orders(tx, [order])
    return shown
