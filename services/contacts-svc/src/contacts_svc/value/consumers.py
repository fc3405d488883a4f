"""Orders as facts, and in the same transaction what they change about the value of those who ordered."""

from collections.abc import Sequence

from contacts_svc.facts.usecases import OrderStep, keep_orders
from contacts_svc.value import usecases
from kantis_contracts.orders import (
    OrderCancelledV1,
    OrderCard,
    OrderChangedV1,
    OrderDeliveredV1,
    OrderPaidV1,
    OrderPlacedV1,
    OrderShippedV1,
    OrderUnpaidV1,
)
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx

QUEUE = "contacts.facts"
"""The queue of all facts, so that what is told of an order stays together with what is told of its invoice."""


async def _keep(tx: Tx, cards: Sequence[OrderCard], step: OrderStep) -> None:
    people = await keep_orders(tx, cards, step)
    await usecases.work_out(tx, people, reason="order")


@consumes(OrderPlacedV1, queue=QUEUE)
async def on_order_placed(tx: Tx, event: OrderPlacedV1, _meta: Meta) -> None:
    """Keep orders, and value who placed them."""
    await _keep(tx, event.items, OrderStep.PLACED)


@consumes(OrderChangedV1, queue=QUEUE)
async def on_order_changed(tx: Tx, event: OrderChangedV1, _meta: Meta) -> None:
    """Keep that orders have other lines than before: the newest version tells what was bought."""
    await _keep(tx, event.items, OrderStep.PLACED)


@consumes(OrderPaidV1, queue=QUEUE)
async def on_order_paid(tx: Tx, event: OrderPaidV1, _meta: Meta) -> None:
    """Keep that orders were paid."""
    await _keep(tx, event.items, OrderStep.PAID)


@consumes(OrderUnpaidV1, queue=QUEUE)
async def on_order_unpaid(tx: Tx, event: OrderUnpaidV1, _meta: Meta) -> None:
    """Keep that the bank took back what orders were paid with."""
    await _keep(tx, event.items, OrderStep.UNPAID)


@consumes(OrderShippedV1, queue=QUEUE)
async def on_order_shipped(tx: Tx, event: OrderShippedV1, _meta: Meta) -> None:
    """Keep that orders are on their way."""
    await _keep(tx, event.items, OrderStep.SHIPPED)


@consumes(OrderDeliveredV1, queue=QUEUE)
async def on_order_delivered(tx: Tx, event: OrderDeliveredV1, _meta: Meta) -> None:
    """Keep that the last parcel of orders has arrived."""
    await _keep(tx, event.items, OrderStep.DELIVERED)


@consumes(OrderCancelledV1, queue=QUEUE)
async def on_order_cancelled(tx: Tx, event: OrderCancelledV1, _meta: Meta) -> None:
    """Keep that orders were called off: they are neither open nor bought."""
    await _keep(tx, event.items, OrderStep.CANCELLED)
