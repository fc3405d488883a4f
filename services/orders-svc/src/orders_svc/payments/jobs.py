"""Timed work of payments."""

from collections.abc import Sequence
from uuid import UUID

from kantis_kit.timers import Timer, on_timer
from kantis_kit.tx import Tx
from orders_svc.payments import files


@on_timer(files.TIMER)
async def go_on(tx: Tx, timers: Sequence[Timer]) -> None:
    """Book what waits of the bank's files."""
    await files.go_on(tx, [UUID(timer.key) for timer in timers])
