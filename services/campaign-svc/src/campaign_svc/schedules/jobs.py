"""Moments at which campaigns are launched."""

from collections.abc import Sequence
from uuid import UUID

from campaign_svc.schedules import usecases
from kantis_kit.timers import Timer, on_timer
from kantis_kit.tx import Tx


@on_timer(usecases.TIMER)
async def launch_due(tx: Tx, timers: Sequence[Timer]) -> None:
    """Launch what is due."""
    await usecases.launch_due(tx, [UUID(timer.key) for timer in timers])
