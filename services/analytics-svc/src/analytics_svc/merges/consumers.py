"""Merges of people, and their undoing."""

from analytics_svc.facts import usecases
from kantis_contracts.contacts import PersonMergedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.merging import merges_of
from kantis_kit.tx import Tx


@consumes(PersonMergedV1, queue="analytics.merges")
async def on_persons_merged(tx: Tx, event: PersonMergedV1, _meta: Meta) -> None:
    """Two records became one, or two again."""
    await usecases.take_merges(tx, merges_of(event.items))
