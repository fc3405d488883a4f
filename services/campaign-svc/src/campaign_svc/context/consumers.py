"""What people are in organisations."""

from campaign_svc.context import usecases
from kantis_contracts.contacts import LinkChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(LinkChangedV1, queue="campaign.context")
async def on_links_changed(tx: Tx, event: LinkChangedV1, _meta: Meta) -> None:
    """People are something new in organisations."""
    await usecases.keep_roles(tx, event.items)
