"""What the services answer to those who want to know everything."""

from contacts_svc.dossier import usecases
from kantis_contracts.analytics import AnalyticsDossierAnsweredV1
from kantis_contracts.campaign import CampaignDossierAnsweredV1
from kantis_contracts.messaging import MessagingDossierAnsweredV1
from kantis_contracts.orders import OrdersDossierAnsweredV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(AnalyticsDossierAnsweredV1, queue="contacts.dossier")
async def on_analytics_answered(tx: Tx, event: AnalyticsDossierAnsweredV1, _meta: Meta) -> None:
    """Keep what analytics holds of a person."""
    await usecases.take(tx, "analytics", event.items)


@consumes(CampaignDossierAnsweredV1, queue="contacts.dossier")
async def on_campaign_answered(tx: Tx, event: CampaignDossierAnsweredV1, _meta: Meta) -> None:
    """Keep what campaign holds of a person."""
    await usecases.take(tx, "campaign", event.items)


@consumes(MessagingDossierAnsweredV1, queue="contacts.dossier")
async def on_messaging_answered(tx: Tx, event: MessagingDossierAnsweredV1, _meta: Meta) -> None:
    """Keep what messaging holds of a person."""
    await usecases.take(tx, "messaging", event.items)


@consumes(OrdersDossierAnsweredV1, queue="contacts.dossier")
async def on_orders_answered(tx: Tx, event: OrdersDossierAnsweredV1, _meta: Meta) -> None:
    """Keep what orders holds of a person."""
    await usecases.take(tx, "orders", event.items)
