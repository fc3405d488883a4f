"""Timed work of payments: the bank's files, portion by portion."""

from collections.abc import Sequence
from uuid import UUID

from kantis_kit.timers import Timer, on_timer
from kantis_kit.tx import Tx
from orders_svc.payments import files, receiving


@on_timer(receiving.READ_TIMER)
async def read_on(tx: Tx, timers: Sequence[Timer]) -> None:
    """Read the next portion of the file that has waited longest; the others keep their turn."""
    first, *others = timers
    await receiving.read_on(tx, UUID(first.key))
    for timer in others:
        await tx.schedule(timer.kind, timer.key, timer.due_at)


@on_timer(receiving.FORGET_TIMER)
async def forget_files(tx: Tx, timers: Sequence[Timer]) -> None:
    """Delete files that are read."""
    for timer in timers:
        await receiving.forget_file(tx, UUID(timer.key))


@on_timer(files.TIMER)
async def go_on(tx: Tx, timers: Sequence[Timer]) -> None:
    """Book what waits of the bank's files."""
    await files.go_on(tx, [UUID(timer.key) for timer in timers])
