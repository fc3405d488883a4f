"""Launches that have paused themselves."""

from campaign_svc.holds import usecases
from kantis_contracts.messaging import SpikeNoticedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(SpikeNoticedV1, queue="campaign.holds")
async def on_spikes_noticed(tx: Tx, event: SpikeNoticedV1, _meta: Meta) -> None:
    """Show it where people look."""
    await usecases.note_spikes(tx, event.items)
