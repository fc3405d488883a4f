"""Events that move campaigns."""

from campaign_svc.campaigns import usecases
from kantis_contracts.contacts import AudienceFrozenV1, AudienceRefusedV1, ReachCountedV1
from kantis_contracts.messaging import MessageSettledV1, TemplateCheckedV1
from kantis_contracts.orders import OrderPaidV1, OrderPlacedV1, ResponseRegisteredV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(ReachCountedV1, queue="campaign.campaigns")
async def on_reach_counted(tx: Tx, event: ReachCountedV1, _meta: Meta) -> None:
    """The register has answered a pre-flight."""
    await usecases.report_reach(tx, event)


@consumes(TemplateCheckedV1, queue="campaign.campaigns")
async def on_templates_checked(tx: Tx, event: TemplateCheckedV1, _meta: Meta) -> None:
    """The senders have answered a pre-flight."""
    await usecases.report_checks(tx, event)


@consumes(AudienceFrozenV1, queue="campaign.campaigns")
async def on_audience_frozen(tx: Tx, event: AudienceFrozenV1, _meta: Meta) -> None:
    """A part of a launch's audience has come."""
    await usecases.take_audience(tx, event)


@consumes(AudienceRefusedV1, queue="campaign.campaigns")
async def on_audience_refused(tx: Tx, event: AudienceRefusedV1, _meta: Meta) -> None:
    """A launch has nobody to send to."""
    await usecases.end_without_audience(tx, event.items)


@consumes(MessageSettledV1, queue="campaign.campaigns")
async def on_messages_settled(tx: Tx, event: MessageSettledV1, _meta: Meta) -> None:
    """Pieces were sent, or were not."""
    await usecases.settle_pieces(tx, event.items)


@consumes(ResponseRegisteredV1, queue="campaign.campaigns")
async def on_responses_registered(tx: Tx, event: ResponseRegisteredV1, _meta: Meta) -> None:
    """Pieces were answered."""
    await usecases.mark_responses(tx, event.items)


@consumes(OrderPlacedV1, queue="campaign.campaigns")
async def on_orders_placed(tx: Tx, event: OrderPlacedV1, _meta: Meta) -> None:
    """Pieces have led to orders."""
    await usecases.mark_orders(tx, event.items, "ordered")


@consumes(OrderPaidV1, queue="campaign.campaigns")
async def on_orders_paid(tx: Tx, event: OrderPaidV1, _meta: Meta) -> None:
    """Those orders were paid."""
    await usecases.mark_orders(tx, event.items, "paid")
