"""Read what is to be picked."""

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.credit.queries import is_held
from orders_svc.fulfilment.schemas import PickLine, PickList, PickOrder
from orders_svc.orders.model import OrderState, SalesOrder
from orders_svc.orders.queries import address_of, lines_of
from orders_svc.people.queries import find_persons


async def pick_list(tx: ReadTx, *, limit: int) -> PickList:
    """Return what is to be picked, the oldest first, and its sums per product; what is held for credit is not."""
    orders = list(
        await tx.scalars(
            select(SalesOrder)
            .where(
                col(SalesOrder.state).in_([OrderState.PLACED.value, OrderState.PICKING.value]),
                ~is_held(col(SalesOrder.order_id)),
            )
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
