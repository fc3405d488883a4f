"""Timed work of files of responses: their rows, chunk by chunk."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from kantis_kit.timers import Timer, on_timer, recurring
from kantis_kit.tx import Tx
from orders_svc.response_files import usecases


@on_timer(usecases.TAKE_TIMER)
async def take_rows(tx: Tx, timers: Sequence[Timer]) -> None:
    """Take the next rows of the file that has waited longest; the others keep their turn."""
    first, *others = timers
    await usecases.take_rows(tx, UUID(first.key))
    for timer in others:
        await tx.schedule(timer.kind, timer.key, timer.due_at)


@on_timer(usecases.FORGET_TIMER)
async def forget_files(tx: Tx, timers: Sequence[Timer]) -> None:
    """Delete files whose rows are all taken."""
    for timer in timers:
        await usecases.forget_file(tx, UUID(timer.key))


@recurring("response_files.tidy", every=timedelta(hours=6))
async def tidy(tx: Tx) -> None:
    """Forget what nobody needs any longer."""
    await usecases.tidy(tx)
