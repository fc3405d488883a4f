"""Timed work: passing troubles pass."""

from kantis_kit.timers import recurring
from kantis_kit.tx import Tx
from messaging_svc.bounces import usecases


@recurring("bounces.decay", cron="17 * * * *")
async def decay(tx: Tx) -> None:
    """Write again to addresses that have been left alone for long enough, or were heard of."""
    await usecases.decay(tx)
