"""Timed work of prices: a day begins on which another price or another rate of VAT holds."""

from datetime import timedelta

from kantis_kit.timers import recurring
from kantis_kit.tx import Tx
from orders_svc.prices import usecases


@recurring("prices.follow_day", every=timedelta(minutes=5))
async def follow_day(tx: Tx) -> None:
    """Let products have the price and the rate of today."""
    await usecases.follow_day(tx)
