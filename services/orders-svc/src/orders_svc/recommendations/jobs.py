"""Timed work of recommendations: orders have come since."""

from datetime import timedelta

from kantis_kit.timers import recurring
from kantis_kit.tx import Tx
from orders_svc.recommendations import usecases


@recurring("recommendations.learn", every=timedelta(seconds=30))
async def learn(tx: Tx) -> None:
    """Count what was bought together."""
    await usecases.learn(tx)
