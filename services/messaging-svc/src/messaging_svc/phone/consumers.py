"""What contacts tells of people that somebody should know before they call."""

from kantis_contracts.contacts import InsightChangedV1, LinkChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from messaging_svc.phone import knowledge


@consumes(LinkChangedV1, queue="messaging.phone", sink=True)
async def on_links_changed(tx: Tx, event: LinkChangedV1, _meta: Meta) -> None:
    """Keep what people are in organisations."""
    await knowledge.keep_links(tx, event.items)


@consumes(InsightChangedV1, queue="messaging.phone", sink=True)
async def on_insights_changed(tx: Tx, event: InsightChangedV1, _meta: Meta) -> None:
    """Keep what was learned about people."""
    await knowledge.keep_insights(tx, event.items)
