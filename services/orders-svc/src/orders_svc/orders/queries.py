"""Read orders."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Uuid
from sqlmodel import col, select

from kantis_kit.db.aliases import resolve
from kantis_kit.db.sets import one_of
from kantis_kit.errors import Invalid
from kantis_kit.tx import ReadTx
from orders_svc.aliases import person_alias
from orders_svc.catalogue.model import Product
from orders_svc.catalogue.queries import find_by_sku, find_products, substitutes_of
from orders_svc.catalogue.schemas import ProductKind
from orders_svc.orders.errors import OrderNotFound
from orders_svc.orders.model import OrderLine, OrderState, SalesOrder
from orders_svc.orders.schemas import (
    OrderLineIn,
    OrderLineOut,
    OrderOut,
    PickLine,
    PickList,
    PickOrder,
    Substitutes,
)
from orders_svc.people.model import Person
from orders_svc.people.queries import find_persons


async def lines_of(tx: ReadTx, order_ids: Iterable[UUID]) -> dict[UUID, list[OrderLine]]:
    """Return the lines of orders, by order, in their sequence."""
    found: dict[UUID, list[OrderLine]] = {}
    rows = await tx.scalars(
        select(OrderLine)
        .where(col(OrderLine.order_id) == one_of(list(set(order_ids)), Uuid()))
        .order_by(col(OrderLine.order_id), col(OrderLine.line_no))
        .execution_options(populate_existing=True)
    )
    for line in rows:
        found.setdefault(line.order_id, []).append(line)
    return found


async def goods_of(
    tx: ReadTx, lines: Sequence[OrderLineIn], currency: str | None = None
) -> tuple[tuple[UUID, int], ...]:
    """Find the products that lines name.

    Raises:
        Invalid: a line names no product of ours, or a family, or the products differ in currency and none was chosen.
    """
    by_sku = await find_by_sku(tx, [line.sku for line in lines if line.sku])
    by_id = await find_products(tx, [line.product_id for line in lines if line.product_id])
    goods: list[tuple[Product, int]] = []
    for number, line in enumerate(lines):
        found = by_sku.get(line.sku) if line.sku else by_id.get(line.product_id or UUID(int=0))
        if found is None or found.kind == ProductKind.FAMILY:
            where = f"lines.{number}.{'sku' if line.sku else 'product_id'}"
            message = (
                f"no product is named {line.sku or line.product_id}"
                if found is None
                else f"{found.sku} is a family: choose one of its variants,"
                f" GET /v1/products?variant_of={found.product_id}"
            )
            raise Invalid(
                f"{where}: {message}", errors=[{"in": "body", "field": where, "message": message}]
            )
        goods.append((found, line.quantity))
    currencies = sorted({product.currency for product, _ in goods})
    if len(currencies) > 1 and currency is None:
        raise Invalid(f"lines: one order has one currency, not {' and '.join(currencies)}")
    return tuple((product.product_id, quantity) for product, quantity in goods)


async def find_external(tx: ReadTx, external_id: str | None) -> SalesOrder | None:
    """Return the order that a shop has sent under this id, or None."""
    if external_id is None:
        return None
    found: SalesOrder | None = await tx.scalar(
        select(SalesOrder).where(col(SalesOrder.external_id) == external_id)
    )
    return found


async def find_rest(tx: ReadTx, order_id: UUID) -> SalesOrder | None:
    """Return the order that waits for what an order could not have at once, or None."""
    found: SalesOrder | None = await tx.scalar(
        select(SalesOrder).where(col(SalesOrder.split_from) == order_id)
    )
    return found


async def offers_for(
    tx: ReadTx, orders: Iterable[SalesOrder], lines: Mapping[UUID, Sequence[OrderLine]]
) -> dict[UUID, list[str]]:
    """Return what could be sent at once instead of what orders wait for whose customers want to be asked."""
    asking = [one for one in orders if one.is_waiting and one.substitutes == Substitutes.ASK]
    wanted = {one.order_id: lines.get(one.order_id, ()) for one in asking}
    instead = await substitutes_of(
        tx, {line.product_id for each in wanted.values() for line in each}
    )
    if not instead:
        return {}
    known = await find_products(tx, {other for others in instead.values() for other in others})
    return {
        order_id: [
            f"{line.name} → {known[other].name} ({known[other].sku})"
            for line in each
            for other in instead.get(line.product_id, ())
            if known[other].available >= line.quantity
        ]
        for order_id, each in wanted.items()
    }


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
