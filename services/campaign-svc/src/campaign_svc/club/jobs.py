"""Timed work of the club."""

from datetime import timedelta

from campaign_svc.club import messages, points
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx


@recurring("club.expire", every=timedelta(hours=1))
async def expire(tx: Tx) -> None:
    """Book off the points whose time is over."""
    await points.expire(tx)


@recurring("club.expiring", every=timedelta(hours=6))
async def tell_expiring(tx: Tx) -> None:
    """Tell members of points that expire soon."""
    await messages.tell_expiring(tx)
