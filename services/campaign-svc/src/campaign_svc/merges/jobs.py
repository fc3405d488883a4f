"""Timed work of merges."""

from collections.abc import Sequence
from uuid import UUID

from campaign_svc.merges import usecases
from kantis_kit.timers import Timer, on_timer
from kantis_kit.tx import Tx


@on_timer(usecases.LOOK_AGAIN_TIMER)
async def look_again(tx: Tx, timers: Sequence[Timer]) -> None:
    """Move what was written under a merged id at the moment of its merge."""
    await usecases.follow(tx, sorted({UUID(id_) for one in timers for id_ in one.payload["ids"]}))
