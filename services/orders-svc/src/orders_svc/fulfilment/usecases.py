"""The way of an order out of the house."""

from uuid import UUID

from kantis_kit.tx import Tx
from orders_svc.billing import usecases as billing
from orders_svc.catalogue import usecases as catalogue
from orders_svc.orders import events, queries
from orders_svc.orders.model import SalesOrder
from orders_svc.orders.usecases import language_of, lock_order
from orders_svc.people.queries import find_person
from orders_svc.responses import usecases as responses


async def pick_order(tx: Tx, order_id: UUID) -> SalesOrder:
    """Begin to pick an order.

    Raises:
        OrderNotFound: no order has this id.
        WrongState: it is not placed.
    """
    order = await lock_order(tx, order_id)
    order.pick(at=tx.clock.now())
    return order


async def ship_order(tx: Tx, order_id: UUID, *, tracking: str) -> SalesOrder:
    """Hand an order over: its goods leave the stock, its invoice is issued, its response is answered.

    Raises:
        OrderNotFound: no order has this id.
        WrongState: it is not being picked.
    """
    order = await lock_order(tx, order_id)
    now = tx.clock.now()
    order.ship(at=now, tracking=tracking)
    await catalogue.consume(tx, [order_id])
    lines = await queries.lines_of(tx, [order_id])
    tx.stage(events.orders_shipped([order], lines, now))
    person = await find_person(tx, order.person_id)
    facts = events.order_facts(order, lines[order_id], language_of(person))
    shipped = events.notice("order_shipped", order.person_id, {**facts, "tracking": tracking})
    tx.stage(events.notices_requested([shipped]))
    await responses.answer_orders(tx, [order_id])
    # Last: from here to the commit, every other invoice of the year waits for its number.
    await billing.issue_invoices(tx, [order], lines)
    return order


async def cancel_order(tx: Tx, order_id: UUID) -> SalesOrder:
    """Call an order off: its goods are for sale again, its response is answered.

    Raises:
        OrderNotFound: no order has this id.
        WrongState: it has shipped, or is cancelled.
    """
    order = await lock_order(tx, order_id)
    now = tx.clock.now()
    order.cancel(at=now)
    await catalogue.release(tx, [order_id])
    tx.stage(events.orders_cancelled([order], await queries.lines_of(tx, [order_id]), now))
    await responses.answer_orders(tx, [order_id])
    return order
