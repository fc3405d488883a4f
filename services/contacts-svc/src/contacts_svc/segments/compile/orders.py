"""Clauses about what a person has ordered, in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, func

from contacts_svc.base import table_of
from contacts_svc.facts.model import OrderFact
from contacts_svc.segments.compile.base import Holds, Meaning, Rows, after
from contacts_svc.segments.conditions.orders import LastOrder, OrderMeasure, Orders, OrderState
from contacts_svc.touched import Family

_order: Table = table_of(OrderFact)


def _in_state(state: OrderState) -> list[Holds]:
    cancelled = _order.c.cancelled_at.is_not(None)
    if state is OrderState.CANCELLED:
        return [cancelled]
    shipped = _order.c.shipped_at.is_not(None)
    if state is OrderState.SHIPPED:
        return [~cancelled, shipped]
    return [~cancelled, ~shipped] if state is OrderState.OPEN else [~cancelled]


def _narrowed(node: Orders) -> Sequence[Holds]:
    bounds = _in_state(node.state)
    if node.currency is not None:
        bounds.append(_order.c.currency == node.currency)
    if node.paid_only:
        bounds.append(_order.c.paid_at.is_not(None))
    return bounds


def _total() -> ColumnElement[Any]:
    return func.coalesce(func.sum(_order.c.total_minor), 0)


def _measured(node: Orders) -> ColumnElement[Any]:
    return func.count() if node.measure is OrderMeasure.COUNT else _total()


ORDERS = Rows(
    _order,
    _order.c.order_id,
    _order.c.placed_at,
    Family.ORDER,
    _narrowed,
    _measured,
    lambda node: {} if node.currency is None else {"total_minor": _total()},
)


def _any_order(node: LastOrder) -> Orders:
    """Return the same question as one about any order in the window."""
    return Orders(op="orders", value=1, within_days=node.within_days)


MEANINGS: dict[type, Meaning] = {
    Orders: ORDERS.meaning,
    LastOrder: Meaning(
        Family.ORDER,
        lambda node, now: ORDERS.chosen(_order.c.order_id, _any_order(node), now).exists(),
        lambda _node, now: ORDERS.facts(Orders(op="orders", value=1), now),
        lambda node, now: ORDERS.chosen(
            after(func.max(_order.c.placed_at), node.within_days), _any_order(node), now
        ).scalar_subquery(),
    ),
}
