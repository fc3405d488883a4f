"""Timed work of experiments."""

from datetime import timedelta

from campaign_svc.experiments import usecases
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx


@recurring("campaign.experiments", every=timedelta(minutes=1))
async def look(tx: Tx) -> None:
    """Look whether an experiment has a winner; what is looked at often stays valid."""
    await usecases.look(tx)
