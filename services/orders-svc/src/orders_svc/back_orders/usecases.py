"""Give goods that have come, or have come free, to those who wait for them: first come, first served.

Waiting orders stand in front of open answers: an order was promised its goods, an answer only that we look again.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.calendar import date_in
from kantis_kit.tx import Tx
from orders_svc.back_orders import queries
from orders_svc.catalogue import usecases as catalogue
from orders_svc.credit.queries import find_held
from orders_svc.credit.usecases import hold_above
from orders_svc.incoming.queries import arrivals
from orders_svc.orders import events
from orders_svc.orders.model import OrderState, SalesOrder
from orders_svc.orders.queries import lines_of
from orders_svc.orders.usecases import language_of, wants_of
from orders_svc.people.queries import find_persons
from orders_svc.responses.usecases import order_for_waiting
from orders_svc.settings import OrdersSettings

PART = 200


async def serve_waiting(tx: Tx, product_ids: Sequence[UUID]) -> list[UUID]:
    """Set goods aside for orders that wait for these products, and place the orders of answers that do.

    An order that is above its customer's limit by now has its goods and is held.

    Returns the orders that have their goods now. With more waiting than are looked at in one transaction, the rest
    follows at once.
    """
    waiting = await _lock_waiting(tx, product_ids)
    served = set(await catalogue.serve(tx, [order.order_id for order in waiting]))
    filled = [order for order in waiting if order.order_id in served]
    for order in filled:
        order.fill()
        order.promised_on = None
    held = await find_held(tx, [order.order_id for order in filled])
    await hold_above(tx, [order for order in filled if order.order_id not in held])
    await _tell(tx, filled, "order_filled")
    answers = await queries.find_waiting_answers(tx, product_ids, limit=PART)
    placed = await order_for_waiting(tx, answers)
    if len(waiting) == PART == len(filled) or len(answers) == PART == placed:
        await catalogue.freed(tx, await queries.find_products(tx, product_ids))
    return sorted(served)


async def sweep(tx: Tx) -> list[UUID]:
    """Look whether goods lie there for which somebody waits; whatever made them free."""
    products = await queries.find_free_and_awaited(tx, limit=PART)
    return await serve_waiting(tx, products) if products else []


async def promise_anew(tx: Tx, product_ids: Sequence[UUID]) -> None:
    """Tell those who wait for these products on which day they are expected now, when that is another one."""
    waiting = await _lock_waiting(tx, product_ids)
    lines = await lines_of(tx, [order.order_id for order in waiting])
    wants = {order.order_id: wants_of(order.order_id, lines[order.order_id]) for order in waiting}
    known = await queries.find_products(
        tx, {want.product_id for each in wants.values() for want in each}
    )
    home = tx.settings(OrdersSettings).company_country
    products = {product.product_id: product for product in known}
    coming = await arrivals(tx, products, today=date_in(tx.clock.now(), home))
    # Everybody is asked in turn, so nobody stands in front of the first.
    coming.ahead = {one: -product.unreserved for one, product in products.items()}
    moved = []
    for order in waiting:
        day = coming.promise({want.product_id: want.quantity for want in wants[order.order_id]})
        if day != order.promised_on:
            order.promised_on = day
            moved.append(order)
    await _tell(tx, [order for order in moved if order.promised_on], "order_promised")


async def _lock_waiting(tx: Tx, product_ids: Sequence[UUID]) -> list[SalesOrder]:
    ids = await queries.find_waiting(tx, product_ids, limit=PART)
    rows = await tx.scalars(
        select(SalesOrder)
        .where(col(SalesOrder.order_id).in_(ids), col(SalesOrder.state) == OrderState.WAITING.value)
        .order_by(col(SalesOrder.order_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return sorted(rows, key=lambda order: (order.placed_at, order.order_id))


async def _tell(tx: Tx, orders: Sequence[SalesOrder], kind: str) -> None:
    lines = await lines_of(tx, [order.order_id for order in orders])
    persons = await find_persons(tx, [order.person_id for order in orders])
    notices = []
    for order in orders:
        language = language_of(persons.get(order.person_id))
        facts = events.order_facts(order, lines[order.order_id], language)
        facts["promised_on"] = events.day_in_words(order.promised_on, language)
        notices.append(events.notice(kind, order.person_id, facts))
    tx.stage(events.notices_requested(notices))
