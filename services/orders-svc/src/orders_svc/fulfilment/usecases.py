"""The way of an order out of the house."""

from collections.abc import Mapping
from uuid import UUID

from kantis_kit.tx import Tx
from orders_svc.catalogue import usecases as catalogue
from orders_svc.credit.usecases import check_released
from orders_svc.fulfilment.errors import PackedOtherwise
from orders_svc.orders import events, queries
from orders_svc.orders.model import OPEN, OrderState, SalesOrder
from orders_svc.orders.usecases import language_of, lock_order
from orders_svc.packing import usecases as packing
from orders_svc.people.queries import find_person
from orders_svc.responses import usecases as responses
from orders_svc.shipments import usecases as shipments
from orders_svc.waves.usecases import leave, ready


async def pick_order(tx: Tx, order_id: UUID) -> SalesOrder:
    """Begin to pick an order by itself, without a wave.

    Raises:
        OrderNotFound: no order has this id.
        WrongState: it is not placed.
        OrderHeld: it is above its customer's credit limit.
    """
    order = await lock_order(tx, order_id)
    await check_released(tx, [order_id])
    order.pick(at=tx.clock.now())
    return order


async def ship_order(
    tx: Tx, order_id: UUID, *, tracking: str, quantities: Mapping[int, int] | None = None
) -> SalesOrder:
    """Hand over what is packed of an order, else what a wave has picked, else all of it or the lines that are named.

    Its goods leave the stock and are invoiced, the customer is told; with the last line its response is answered.

    Raises:
        OrderNotFound: no order has this id.
        WrongState: it is not being picked.
        StillPicked: a wave has not come to its last line.
        PackedOtherwise: lines are named, and the order is packed in parcels.
        MoreThanLeft: a line has not that many left, or nothing is left to leave.
    """
    order = await lock_order(tx, order_id)
    order.require("shipped", OrderState.PICKING)
    parcels = await packing.waiting_parcels(tx, order_id)
    if parcels and quantities:
        raise PackedOtherwise("Its parcels say which lines leave: ship it without naming lines")
    chosen = quantities or await packing.contents_of(tx, parcels) or await ready(tx, order)
    shipment = await shipments.ship_lines(
        tx, order, chosen, tracking=tracking or packing.tracking_of(parcels)
    )
    packing.send(parcels, shipment)
    await leave(tx, [order_id])
    return order


async def cancel_order(tx: Tx, order_id: UUID) -> SalesOrder:
    """Call an order off, or what has not left of it yet: its goods are for sale again, its response is answered.

    Raises:
        OrderNotFound: no order has this id.
        WrongState: it has shipped, or is cancelled.
    """
    order = await lock_order(tx, order_id)
    order.require("cancelled", *OPEN)
    now = tx.clock.now()
    await leave(tx, [order_id])
    await packing.unpack(tx, order_id)
    lines = await queries.lines_of(tx, [order_id])
    if any(line.shipped_quantity for line in lines[order_id]):
        await shipments.call_off(tx, order, {one.line_no: one.left for one in lines[order_id]})
        return order
    order.cancel(at=now)
    await catalogue.release(tx, [order_id])
    tx.stage(events.orders_cancelled([order], lines, now))
    facts = events.order_facts(
        order, lines[order_id], language_of(await find_person(tx, order.person_id))
    )
    tx.stage(events.notices_requested([events.notice("order_cancelled", order.person_id, facts)]))
    await responses.answer_orders(tx, [order_id])
    return order
