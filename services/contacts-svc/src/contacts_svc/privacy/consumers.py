"""Receipts of the services that have forgotten somebody."""

from contacts_svc.privacy import saga
from kantis_contracts.analytics import AnalyticsErasureCompletedV1
from kantis_contracts.campaign import CampaignErasureCompletedV1
from kantis_contracts.gateway import GatewayErasureCompletedV1
from kantis_contracts.messaging import MessagingErasureCompletedV1
from kantis_contracts.orders import OrdersErasureCompletedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(AnalyticsErasureCompletedV1, queue="contacts.privacy")
async def on_analytics_done(tx: Tx, event: AnalyticsErasureCompletedV1, _meta: Meta) -> None:
    """Enter the receipts of analytics."""
    await saga.take(tx, "analytics", event.items)


@consumes(CampaignErasureCompletedV1, queue="contacts.privacy")
async def on_campaign_done(tx: Tx, event: CampaignErasureCompletedV1, _meta: Meta) -> None:
    """Enter the receipts of campaign."""
    await saga.take(tx, "campaign", event.items)


@consumes(GatewayErasureCompletedV1, queue="contacts.privacy")
async def on_gateway_done(tx: Tx, event: GatewayErasureCompletedV1, _meta: Meta) -> None:
    """Enter the receipts of the gateway."""
    await saga.take(tx, "gateway", event.items)


@consumes(MessagingErasureCompletedV1, queue="contacts.privacy")
async def on_messaging_done(tx: Tx, event: MessagingErasureCompletedV1, _meta: Meta) -> None:
    """Enter the receipts of messaging."""
    await saga.take(tx, "messaging", event.items)


@consumes(OrdersErasureCompletedV1, queue="contacts.privacy")
async def on_orders_done(tx: Tx, event: OrdersErasureCompletedV1, _meta: Meta) -> None:
    """Enter the receipts of orders."""
    await saga.take(tx, "orders", event.items)
