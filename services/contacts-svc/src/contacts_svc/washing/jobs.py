"""Timed work of washes: by which hashes registers name people is worked out before it is asked for."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from contacts_svc.washing import usecases
from kantis_kit.timers import Timer, on_timer, recurring
from kantis_kit.tx import Tx


@recurring("washing.doorsteps", every=timedelta(hours=1))
async def keep_doorsteps(tx: Tx) -> None:
    """Go through everybody once more: people come and move between two washes."""
    await _keep(tx, None)


@on_timer(usecases.DOORSTEPS_TIMER)
async def keep_more_doorsteps(tx: Tx, timers: Sequence[Timer]) -> None:
    """Go on after those who were looked at."""
    for timer in timers:
        after = timer.payload.get("after")
        await _keep(tx, UUID(after) if after else None)


async def _keep(tx: Tx, after: UUID | None) -> None:
    last = await usecases.keep_doorsteps(tx, after)
    if last is not None:
        payload = {"after": str(last)}
        await tx.schedule(usecases.DOORSTEPS_TIMER, "all", tx.clock.now(), payload)
