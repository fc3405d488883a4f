"""Read orders."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.db.aliases import resolve
from kantis_kit.tx import ReadTx
from orders_svc.aliases import person_alias
from orders_svc.orders.errors import OrderNotFound
from orders_svc.orders.model import OrderLine, OrderState, SalesOrder
from orders_svc.orders.schemas import OrderLineOut, OrderOut, PickLine, PickList, PickOrder
from orders_svc.people.model import Person
from orders_svc.people.queries import find_persons


async def lines_of(tx: ReadTx, order_ids: Iterable[UUID]) -> dict[UUID, list[OrderLine]]:
    """Return the lines of orders, by order, in their sequence."""
    found: dict[UUID, list[OrderLine]] = {}
    rows = await tx.scalars(
        select(OrderLine)
        .where(col(OrderLine.order_id).in_(set(order_ids)))
        .order_by(col(OrderLine.order_id), col(OrderLine.line_no))
    )
    for line in rows:
        found.setdefault(line.order_id, []).append(line)
    return found


async def get_order(tx: ReadTx, order_id: UUID) -> SalesOrder:
    """Return an order. Raises `OrderNotFound`."""
    order = await tx.get(SalesOrder, order_id)
    if order is None:
        raise OrderNotFound(f"No order has the id {order_id}")
    return order


async def show_orders(tx: ReadTx, orders: Iterable[SalesOrder]) -> list[OrderOut]:
    """Return orders with their lines."""
    listed = list(orders)
    lines = await lines_of(tx, [order.order_id for order in listed])
    shown = []
    for order in listed:
        out = OrderOut.model_validate(order)
        out.lines = [OrderLineOut.model_validate(line) for line in lines.get(order.order_id, [])]
        shown.append(out)
    return shown


async def list_orders(
    tx: ReadTx,
    *,
    state: OrderState | None,
    person_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[SalesOrder]:
    """Return a page of orders in the sequence of their placing."""
    statement = select(SalesOrder).order_by(col(SalesOrder.order_id)).limit(limit)
    if state is not None:
        statement = statement.where(col(SalesOrder.state) == state.value)
    if person_id is not None:
        leads = await resolve(tx, person_alias, [person_id])
        statement = statement.where(col(SalesOrder.person_id) == leads.get(person_id, person_id))
    if after is not None:
        statement = statement.where(col(SalesOrder.order_id) > after)
    return list(await tx.scalars(statement))


async def pick_list(tx: ReadTx, *, limit: int) -> PickList:
    """Return what is to be picked, the oldest first, and its sums per product."""
    orders = list(
        await tx.scalars(
            select(SalesOrder)
            .where(col(SalesOrder.state).in_([OrderState.PLACED.value, OrderState.PICKING.value]))
            .order_by(col(SalesOrder.placed_at), col(SalesOrder.order_id))
            .limit(limit)
        )
    )
    lines = await lines_of(tx, [order.order_id for order in orders])
    persons = await find_persons(tx, [order.person_id for order in orders])
    totals: dict[str, PickLine] = {}
    shown = []
    for order in orders:
        person = persons.get(order.person_id)
        picks = [PickLine.model_validate(line) for line in lines.get(order.order_id, [])]
        for pick in picks:
            total = totals.setdefault(pick.sku, PickLine(sku=pick.sku, name=pick.name, quantity=0))
            total.quantity += pick.quantity
        shown.append(
            PickOrder(
                order_id=order.order_id,
                number=order.number,
                state=order.state,
                placed_at=order.placed_at,
                **address_of(order, person),
                lines=picks,
            )
        )
    return PickList(orders=shown, totals=[totals[sku] for sku in sorted(totals)])


def address_of(order: SalesOrder, person: Person | None) -> dict[str, str]:
    """Return where the parcel of an order goes: to the address in its answer, or to the person's own."""
    known = person or Person(person_id=order.person_id, version=0, country="")
    own = {
        "street": known.street,
        "postal_code": known.postal_code,
        "city": known.city,
        "country": known.address_country or known.country,
    }
    return {"full_name": known.full_name, **(order.ship_to or own)}
