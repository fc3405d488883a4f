"""Clauses about what a person has ordered, in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select

from contacts_svc.base import table_of
from contacts_svc.facts.model import InvoiceFact, OrderFact, ReturnFact
from contacts_svc.segments.compile.base import (
    Holds,
    Meaning,
    Moments,
    Now,
    Rows,
    after,
    earliest,
    midnight,
    of_campaigns,
    person,
    today,
)
from contacts_svc.segments.conditions.orders import (
    InDunning,
    InvoiceMeasure,
    LastOrder,
    OrderMeasure,
    Orders,
    OrderState,
    Owes,
    ReturnMeasure,
    Returns,
)
from contacts_svc.touched import Family
from kantis_contracts.orders import DunningState

_order: Table = table_of(OrderFact)
_invoice: Table = table_of(InvoiceFact)
_return: Table = table_of(ReturnFact)


def _in_state(state: OrderState) -> list[Holds]:
    cancelled = _order.c.cancelled_at.is_not(None)
    if state is OrderState.CANCELLED:
        return [cancelled]
    shipped = _order.c.shipped_at.is_not(None)
    if state is OrderState.SHIPPED:
        return [~cancelled, shipped]
    return [~cancelled, ~shipped] if state is OrderState.OPEN else [~cancelled]


def _narrowed(node: Orders, _now: Now) -> Sequence[Holds]:
    bounds = _in_state(node.state)
    if node.currency is not None:
        bounds.append(_order.c.currency == node.currency)
    if node.paid_only:
        bounds.append(_order.c.paid_at.is_not(None))
    return [*bounds, *of_campaigns(_order, node.campaign_ids)]


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
    lambda node: node.measure is OrderMeasure.COUNT,
)


def _sent_back(node: Returns, _now: Now) -> Sequence[Holds]:
    bounds = of_campaigns(_return, node.campaign_ids)
    if node.currency is not None:
        bounds.append(_return.c.currency == node.currency)
    return bounds


def _refund() -> ColumnElement[Any]:
    return func.coalesce(func.sum(_return.c.refund_minor), 0)


RETURNS = Rows(
    _return,
    _return.c.return_id,
    _return.c.returned_at,
    Family.ORDER,
    _sent_back,
    lambda node: func.count() if node.measure is ReturnMeasure.COUNT else _refund(),
    lambda node: {} if node.currency is None else {"refund_minor": _refund()},
    lambda node: node.measure is ReturnMeasure.COUNT,
)


def _open(node: Owes) -> list[Holds]:
    bounds: list[Holds] = [_invoice.c.open_minor > 0]
    if node.currency is not None:
        bounds.append(_invoice.c.currency == node.currency)
    return bounds


def _owed(node: Owes, now: Now) -> Sequence[Holds]:
    bounds = _open(node)
    if node.overdue_days is not None:
        bounds.append(_invoice.c.due_on <= today(now, days=-node.overdue_days))
    return bounds


def _rest() -> ColumnElement[Any]:
    return func.coalesce(func.sum(_invoice.c.open_minor), 0)


INVOICES = Rows(
    _invoice,
    _invoice.c.invoice_id,
    _invoice.c.issued_at,
    Family.ORDER,
    _owed,
    lambda node: func.count() if node.measure is InvoiceMeasure.COUNT else _rest(),
    lambda node: (
        {"first_due_on": func.min(_invoice.c.due_on)}
        | ({} if node.currency is None else {"open_minor": _rest()})
    ),
    lambda node: node.measure is InvoiceMeasure.COUNT,
)


def _in_dunning(node: InDunning, _now: Now) -> Sequence[Holds]:
    bounds: list[Holds] = [
        # Told of before the invoice itself, it is not known to be paid.
        func.coalesce(_invoice.c.open_minor, 1) > 0,
        _invoice.c.dunning_state.in_([state.value for state in node.states])
        if node.states
        else _invoice.c.dunning_state != DunningState.NONE.value,
    ]
    if node.min_reminders:
        bounds.append(_invoice.c.reminders >= node.min_reminders)
    return bounds


DUNNING = Rows(
    _invoice,
    _invoice.c.invoice_id,
    _invoice.c.dunning_at,
    Family.ORDER,
    _in_dunning,
    told=lambda _node: {"most_reminders": func.max(_invoice.c.reminders)},
)


def _owes_flip(node: Owes, now: Now) -> Moments | None:
    """Tell when the next invoice becomes overdue, or the first one leaves the window."""
    leaves = INVOICES.flips(node, now)
    if node.overdue_days is None:
        return leaves
    late = midnight(_invoice.c.due_on, days=node.overdue_days)
    next_late = (
        select(func.min(late))
        .where(_invoice.c.person_id == person.c.id, *_open(node), late > now)
        .correlate(person)
        .scalar_subquery()
    )
    return next_late if leaves is None else earliest(next_late, leaves)


def _any_order(node: LastOrder) -> Orders:
    """Return the same question as one about any order in the window."""
    return Orders(op="orders", value=1, within_days=node.within_days)


MEANINGS: dict[type, Meaning] = {
    Orders: ORDERS.meaning,
    Owes: Meaning(Family.ORDER, INVOICES.holds, INVOICES.facts, _owes_flip, INVOICES.sweeps),
    Returns: RETURNS.meaning,
    InDunning: DUNNING.meaning,
    LastOrder: Meaning(
        Family.ORDER,
        lambda node, now: ORDERS.chosen(_order.c.order_id, _any_order(node), now).exists(),
        lambda _node, now: ORDERS.facts(Orders(op="orders", value=1), now),
        lambda node, now: ORDERS.chosen(
            after(func.max(_order.c.placed_at), node.within_days), _any_order(node), now
        ).scalar_subquery(),
    ),
}
