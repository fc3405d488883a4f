"""Timed work of exports."""

from collections.abc import Sequence
from uuid import UUID

from contacts_svc.exports import usecases
from kantis_kit.timers import Timer, on_timer
from kantis_kit.tx import Tx


@on_timer(usecases.PAGE_TIMER)
async def write_pages(tx: Tx, timers: Sequence[Timer]) -> None:
    """Write the next page of the export that has waited longest; the others keep their turn."""
    first, *others = timers
    await usecases.write_page(tx, UUID(first.key))
    for timer in others:
        # One page is one transaction, so the others are set anew.
        await tx.schedule(timer.kind, timer.key, timer.due_at)


@on_timer(usecases.FORGET_TIMER)
async def forget_files(tx: Tx, timers: Sequence[Timer]) -> None:
    """Delete files whose time is over."""
    for timer in timers:
        await usecases.forget_file(tx, UUID(timer.key))
