"""Timed work of imports, and the loop that takes their rows."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from contacts_svc.imports import usecases
from contacts_svc.imports.worker import Worker
from kantis_kit.service import Service
from kantis_kit.timers import Timer, on_timer, recurring
from kantis_kit.tx import Tx


async def take_imports(service: Service) -> None:
    """Take the rows of imports until cancelled."""
    await Worker(service).run()


@on_timer(usecases.UNDO_TIMER)
async def take_back(tx: Tx, timers: Sequence[Timer]) -> None:
    """Take back the next persons of the import whose undo has waited longest; the others keep their turn."""
    first, *others = timers
    await usecases.take_back(tx, UUID(first.key))
    for timer in others:
        await tx.schedule(timer.kind, timer.key, timer.due_at)


@on_timer(usecases.FORGET_TIMER)
async def forget_files(tx: Tx, timers: Sequence[Timer]) -> None:
    """Delete the files of imports that are done."""
    for timer in timers:
        await usecases.forget_file(tx, UUID(timer.key))


@recurring("imports.tidy", every=timedelta(hours=6))
async def tidy(tx: Tx) -> None:
    """Forget what is not needed any longer."""
    await usecases.tidy(tx)
