"""What orders tells of paid and cancelled orders."""

from campaign_svc.referrals import usecases
from kantis_contracts.orders import OrderCancelledV1, OrderPaidV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(OrderPaidV1, queue="campaign.referrals")
async def on_orders_paid(tx: Tx, event: OrderPaidV1, _meta: Meta) -> None:
    """Somebody may have paid their first order."""
    await usecases.note_paid(tx, event.items)


@consumes(OrderCancelledV1, queue="campaign.referrals")
async def on_orders_cancelled(tx: Tx, event: OrderCancelledV1, _meta: Meta) -> None:
    """What was rewarded for these is taken back."""
    await usecases.note_cancelled(tx, event.items)
