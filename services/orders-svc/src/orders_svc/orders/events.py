"""What of an order leaves this service, and what its customer is told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from kantis_contracts.orders import (
    Notice,
    NoticeRequestedV1,
    OrderCancelledV1,
    OrderCard,
    OrderChangedV1,
    OrderDeliveredV1,
    OrderLineCard,
    OrderPaidV1,
    OrderPlacedV1,
    OrderShippedV1,
    OrderUnpaidV1,
)
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id
from kantis_kit.money import in_words
from orders_svc.money import date_in_words
from orders_svc.orders.model import OrderLine, SalesOrder

Lines = Mapping[UUID, Sequence[OrderLine]]


def line_cards(lines: Iterable[OrderLine]) -> tuple[OrderLineCard, ...]:
    """Return lines as others need them."""
    return tuple(
        OrderLineCard(
            product_id=line.product_id,
            sku=line.sku,
            name=line.name,
            quantity=line.quantity,
            amount_minor=line.amount_minor,
        )
        for line in lines
    )


def _cards(orders: Iterable[SalesOrder], lines: Lines, at: datetime) -> tuple[OrderCard, ...]:
    return tuple(
        OrderCard(
            order_id=order.order_id,
            version=order.version,
            number=order.number,
            person_id=order.person_id,
            response_id=order.response_id,
            campaign_id=order.campaign_id,
            cell_id=order.cell_id,
            total_minor=order.total_minor,
            currency=order.currency,
            lines=line_cards(lines.get(order.order_id, ())),
            changed_at=at,
        )
        for order in orders
    )


def orders_placed(orders: Iterable[SalesOrder], lines: Lines, at: datetime) -> OrderPlacedV1:
    """Say that orders have been placed."""
    return OrderPlacedV1(items=_cards(orders, lines, at))


def orders_shipped(orders: Iterable[SalesOrder], lines: Lines, at: datetime) -> OrderShippedV1:
    """Say that orders are on their way."""
    return OrderShippedV1(items=_cards(orders, lines, at))


def orders_delivered(orders: Iterable[SalesOrder], lines: Lines, at: datetime) -> OrderDeliveredV1:
    """Say that the last parcel of orders has arrived."""
    return OrderDeliveredV1(items=_cards(orders, lines, at))


def orders_cancelled(orders: Iterable[SalesOrder], lines: Lines, at: datetime) -> OrderCancelledV1:
    """Say that orders have been called off."""
    return OrderCancelledV1(items=_cards(orders, lines, at))


def orders_paid(orders: Iterable[SalesOrder], lines: Lines, at: datetime) -> OrderPaidV1:
    """Say that orders have been paid in full."""
    return OrderPaidV1(items=_cards(orders, lines, at))


def orders_unpaid(orders: Iterable[SalesOrder], lines: Lines, at: datetime) -> OrderUnpaidV1:
    """Say that orders that had been paid are not: the bank took money back."""
    return OrderUnpaidV1(items=_cards(orders, lines, at))


def order_facts(order: SalesOrder, lines: Sequence[OrderLine], language: str) -> dict[str, str]:
    """Return what every message about an order can print."""
    return {
        "order_number": order.number,
        "amount": in_words(order.total_minor, order.currency, language),
        "lines": "\n".join(f"{line.quantity} × {line.name}" for line in lines),
    }


def placed_notice(
    order: SalesOrder, lines: Sequence[OrderLine], language: str, offers: Sequence[str]
) -> Notice:
    """Tell what was ordered, what is sent instead of what, and of what waits: until when, and what could go at once."""
    facts = order_facts(order, lines, language)
    if not order.is_waiting:
        kind = "order_substituted" if any(line.wanted_id for line in lines) else "order_placed"
        return notice(kind, order.person_id, facts)
    promised = {"promised_on": day_in_words(order.promised_on, language)}
    instead = {"instead": "\n".join(offers)} if offers else {}
    return notice("order_waiting", order.person_id, {**facts, **promised, **instead})


def day_in_words(day: date | None, language: str) -> str:
    """Write a day as people do; nothing when it is not known."""
    return "" if day is None else date_in_words(day, language)


def orders_changed(orders: Iterable[SalesOrder], lines: Lines, at: datetime) -> OrderChangedV1:
    """Say that orders have other lines than before, or their goods now."""
    return OrderChangedV1(items=_cards(orders, lines, at))


def notice(
    kind: str, person_id: UUID, facts: dict[str, str], channel: Channel = Channel.EMAIL
) -> Notice:
    """Ask for a message to a customer."""
    return Notice(notice_id=new_id(), person_id=person_id, kind=kind, facts=facts, channel=channel)


def notices_requested(notices: Iterable[Notice]) -> NoticeRequestedV1:
    """Ask for messages to customers."""
    return NoticeRequestedV1(items=tuple(notices))
