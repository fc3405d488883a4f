"""Watch over what was promised: a warning before it is due, an alarm when it is late, nothing that nobody follows."""

from sqlalchemy import ColumnElement, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_contracts.orders import ResponseKind
from kantis_kit.calendar import answer_due_at
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.deadlines import events, queries
from orders_svc.orders.model import SalesOrder
from orders_svc.people.queries import find_persons
from orders_svc.responses.model import NextStep, Response, ResponseState
from orders_svc.settings import OrdersSettings

BATCH = 5_000
WAY = "order"
"""How an order came that somebody placed without a response."""


async def watch(tx: Tx) -> None:
    """Follow orders that came without a response, warn of what is due soon, and raise the alarm for what is late."""
    await follow_orders(tx)
    now = tx.clock.now()
    late = await _mark(
        tx,
        col(Response.alarmed_at).is_(None) & (col(Response.due_at) <= now),
        # Who is told that it is late needs no warning any more.
        ("alarmed_at", "warned_at"),
    )
    soon = await _mark(
        tx,
        col(Response.warned_at).is_(None) & (col(Response.due_at) <= now + queries.warning(tx)),
        ("warned_at",),
    )
    tx.stage(events.deadlines_missed(late), events.deadlines_neared(soon))


async def follow_orders(tx: Tx) -> None:
    """Give open orders that nobody follows a response with a day, so that they are reminded of like all others."""
    orders = list(
        await tx.scalars(
            select(SalesOrder)
            .where(queries.is_unfollowed())
            .order_by(col(SalesOrder.order_id))
            .limit(BATCH)
            # An order that is about to ship waits, so that its response is answered with it.
            .with_for_update(read=True, skip_locked=True)
        )
    )
    if not orders:
        return
    persons = await find_persons(tx, [order.person_id for order in orders])
    home = tx.settings(OrdersSettings).company_country
    rows = []
    for order in orders:
        person = persons.get(order.person_id)
        response = Response(
            response_id=new_id(),
            kind=ResponseKind.ORDER.value,
            way=WAY,
            person_id=order.person_id,
            merged_id=order.merged_id,
            campaign_id=order.campaign_id,
            cell_id=order.cell_id,
            state=ResponseState.OPEN.value,
            next_step=NextStep.SHIP_ORDER.value,
            due_at=answer_due_at(order.placed_at, person.country if person else home),
            responded_at=order.placed_at,
            order_id=order.order_id,
            is_repeat=True,
        )
        rows.append(response.model_dump())
    await tx.execute(insert(Response), rows)


async def _mark(tx: Tx, condition: ColumnElement[bool], names: tuple[str, ...]) -> list[Response]:
    """Note now in these columns of what waits and fulfils the condition, and return it."""
    chosen = (
        select(col(Response.response_id))
        .where(condition, col(Response.state) != ResponseState.ANSWERED.value)
        .order_by(col(Response.due_at))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return list(
        await tx.scalars(
            update(Response)
            .where(col(Response.response_id).in_(chosen))
            .values(dict.fromkeys(names, tx.clock.now()))
            .returning(Response)
            .execution_options(synchronize_session=False)
        )
    )
