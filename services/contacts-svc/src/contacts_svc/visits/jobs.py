"""Timed work of visits."""

from datetime import timedelta

from contacts_svc.visits import usecases
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx


@recurring("visits.retention", every=timedelta(hours=6))
async def forget_old(tx: Tx) -> None:
    """Forget what is older than it may be."""
    await usecases.forget_old(tx)
