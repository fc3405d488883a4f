"""Who has looked at what, and what people say against it."""

from campaign_svc.memory import usecases
from kantis_contracts.contacts import InsightChangedV1
from kantis_contracts.messaging import LinkClickedV1, MessageOpenedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx

QUEUE = "campaign.memory"


@consumes(MessageOpenedV1, queue=QUEUE)
async def on_messages_opened(tx: Tx, event: MessageOpenedV1, _meta: Meta) -> None:
    """Messages were shown."""
    await usecases.remember_seen(tx, event.items)


@consumes(LinkClickedV1, queue=QUEUE)
async def on_links_clicked(tx: Tx, event: LinkClickedV1, _meta: Meta) -> None:
    """Links were followed."""
    await usecases.remember_seen(tx, event.items)


@consumes(InsightChangedV1, queue=QUEUE)
async def on_insights_changed(tx: Tx, event: InsightChangedV1, _meta: Meta) -> None:
    """Reasons against buying were learned, or taken back."""
    await usecases.keep_reasons(tx, event.items)
