"""What orders tells of paid, cancelled and returned orders."""

from campaign_svc.club import points
from kantis_contracts.orders import (
    OrderCancelledV1,
    OrderPaidV1,
    OrderReturnedV1,
    OrderUnpaidV1,
)
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(OrderPaidV1, queue="campaign.club")
async def on_orders_paid(tx: Tx, event: OrderPaidV1, _meta: Meta) -> None:
    """Members have earned points."""
    await points.earn(tx, event.items)


@consumes(OrderUnpaidV1, queue="campaign.club")
async def on_orders_unpaid(tx: Tx, event: OrderUnpaidV1, _meta: Meta) -> None:
    """What these had earned is taken back: the bank took the money back."""
    await points.take_back_unpaid(tx, event.items)


@consumes(OrderCancelledV1, queue="campaign.club")
async def on_orders_cancelled(tx: Tx, event: OrderCancelledV1, _meta: Meta) -> None:
    """What these had earned is taken back."""
    await points.take_back_cancelled(tx, event.items)


@consumes(OrderReturnedV1, queue="campaign.club")
async def on_orders_returned(tx: Tx, event: OrderReturnedV1, _meta: Meta) -> None:
    """The share of what came back is taken back."""
    await points.take_back_credited(tx, event.items)
