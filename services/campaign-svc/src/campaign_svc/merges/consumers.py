"""Merges of people, and their undoing."""

from campaign_svc.merges import usecases
from kantis_contracts.contacts import PersonMergedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(PersonMergedV1, queue="campaign.merges")
async def on_persons_merged(tx: Tx, event: PersonMergedV1, _meta: Meta) -> None:
    """Two records became one, or two again."""
    await usecases.take_merges(tx, event.items)
