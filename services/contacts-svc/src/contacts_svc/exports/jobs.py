"""Timed work of exports, and the loop that makes workbooks."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from contacts_svc.exports import usecases
from kantis_kit import observability
from kantis_kit.db.database import CONNECTION_ERRORS, is_away
from kantis_kit.service import Service
from kantis_kit.timers import Timer, on_timer
from kantis_kit.tx import Tx, write

log = observability.get_logger(__name__)

IDLE_SECONDS = 1.0
"""Workbooks are looked for this often."""
_PASSING: tuple[type[BaseException], ...] = (SQLAlchemyError, *CONNECTION_ERRORS)


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


@on_timer(usecases.ROWS_TIMER)
async def forget_rows(tx: Tx, timers: Sequence[Timer]) -> None:
    """Delete the rows of workbooks that are made."""
    for timer in timers:
        await usecases.forget_rows(tx, UUID(timer.key))


async def make_workbooks(service: Service) -> None:
    """Make workbooks until cancelled. It may take minutes: timers do not wait for it."""
    while True:
        had_work = False
        try:
            async with write(service.scope, actor="exports") as tx:
                had_work = await usecases.make_workbook(tx)
        except _PASSING as error:
            # The rows are still there: it is made in another round.
            log.warning(
                "exports.not_made", error=type(error).__name__, database_away=is_away(error)
            )
        if not had_work:
            await asyncio.sleep(IDLE_SECONDS)
