"""Timers of programmes: runs that are due, and long work that is done in parts."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from campaign_svc.programmes.model import LANES
from campaign_svc.programmes.usecases import asking, dates, holding, moving, starting, stepping
from kantis_kit.timers import Timer, TimerHandler, on_timer, recurring
from kantis_kit.tx import Tx


def _lane(number: int) -> TimerHandler:
    @on_timer(starting.timer_of(number))
    async def step_due(tx: Tx, _timers: Sequence[Timer]) -> None:
        await stepping.step_due(tx, number)

    return step_due


LANE_0, LANE_1, LANE_2, LANE_3 = (_lane(number) for number in range(LANES))


@on_timer(dates.TIMER)
async def begin_dates(tx: Tx, timers: Sequence[Timer]) -> None:
    """Begin programmes for people whose dates were known before."""
    for timer in timers:
        await dates.begin_dates(tx, UUID(timer.key), UUID(timer.payload["after"]))


@on_timer(holding.TIMER)
async def release_paused(tx: Tx, timers: Sequence[Timer]) -> None:
    """Let more runs of a programme go on that was paused."""
    for timer in timers:
        await holding.release_paused(tx, UUID(timer.key))


@on_timer(moving.TIMER)
async def move_part(tx: Tx, timers: Sequence[Timer]) -> None:
    """Move more people to the live version."""
    for timer in timers:
        await moving.move_part(tx, UUID(timer.key))


@recurring("campaign.programmes", every=timedelta(minutes=1))
async def look(tx: Tx) -> None:
    """Wake the lanes that have runs which nobody looks after."""
    await stepping.look(tx)


@recurring("campaign.programme-conditions", every=timedelta(hours=1))
async def close_unused(tx: Tx) -> None:
    """Close segments that branches have made and no version needs any more."""
    await asking.close_unused(tx)
