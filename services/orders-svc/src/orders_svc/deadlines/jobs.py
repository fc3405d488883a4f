"""Timed work of deadlines."""

from datetime import timedelta

from kantis_kit.timers import recurring
from kantis_kit.tx import Tx
from orders_svc.deadlines import usecases


@recurring("deadlines.watch", every=timedelta(minutes=1))
async def watch(tx: Tx) -> None:
    """Warn of what is due soon, and raise the alarm for what is late."""
    await usecases.watch(tx)
