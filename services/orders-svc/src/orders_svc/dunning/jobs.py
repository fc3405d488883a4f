"""Timed work of dunning."""

from collections.abc import Sequence
from uuid import UUID

from kantis_kit.timers import Timer, on_timer, recurring
from kantis_kit.tx import Tx
from orders_svc.dunning import running


@recurring("dunning.begin", cron="0 7 * * *")
async def begin(tx: Tx) -> None:
    """Begin the day's round in the morning."""
    await running.begin(tx)


@on_timer(running.TIMER)
async def run(tx: Tx, timers: Sequence[Timer]) -> None:
    """Take the next page of the round."""
    for timer in timers:
        after = timer.payload.get("after")
        left = await running.run_page(tx, UUID(after) if after else None)
        if left is not None:
            await tx.schedule(running.TIMER, timer.key, tx.clock.now(), {"after": str(left)})
