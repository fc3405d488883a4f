"""Pick, ship and cancel over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from kantis_kit.auth.policy import needs
from kantis_kit.tx import Tx
from kantis_kit.web import Read, Router, Write
from orders_svc.fulfilment import queries, usecases
from orders_svc.fulfilment.schemas import PickList, ShipIn, quantities_of
from orders_svc.orders.model import SalesOrder
from orders_svc.orders.queries import get_order, show_orders
from orders_svc.orders.schemas import OrderOut
from orders_svc.shipments.queries import show_shipments
from orders_svc.shipments.schemas import ShipmentList

router = Router(prefix="/v1/orders", tags=["fulfilment"])
picks = Router(prefix="/v1/orders", tags=["fulfilment"])
"""Stands before the ids of orders."""


@picks.get("/pick-list", policy=needs("orders:read"))
async def show_pick_list(tx: Read, limit: Annotated[int, Query(ge=1, le=1_000)] = 200) -> PickList:
    """Return what is to be picked, the oldest order first, and its sums per product."""
    return await queries.pick_list(tx, limit=limit)


@router.post("/{order_id}/pick", policy=needs("orders:write"))
async def pick_order(order_id: UUID, tx: Write) -> OrderOut:
    """Begin to pick an order."""
    return await _show(tx, await usecases.pick_order(tx, order_id))


@router.post("/{order_id}/ship", policy=needs("orders:write"))
async def ship_order(order_id: UUID, tx: Write, body: ShipIn | None = None) -> OrderOut:
    """Hand what is packed or picked of an order over to the carrier; its invoice is issued with it."""
    given = body or ShipIn()
    order = await usecases.ship_order(
        tx, order_id, tracking=given.tracking, quantities=quantities_of(given.lines)
    )
    return await _show(tx, order)


@router.get("/{order_id}/shipments", policy=needs("orders:read"))
async def list_shipments(order_id: UUID, tx: Read) -> ShipmentList:
    """Return what has left of an order, in the sequence of its leaving."""
    await get_order(tx, order_id)
    return ShipmentList(items=await show_shipments(tx, order_id))


@router.post("/{order_id}/cancel", policy=needs("orders:write"))
async def cancel_order(order_id: UUID, tx: Write) -> OrderOut:
    """Call an order off before it ships; its goods are for sale again."""
    return await _show(tx, await usecases.cancel_order(tx, order_id))


async def _show(tx: Tx, order: SalesOrder) -> OrderOut:
    (shown,) = await show_orders(tx, [order])
    return shown
