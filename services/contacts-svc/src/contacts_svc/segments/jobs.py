"""The loop that keeps who is in which segment."""

import asyncio
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from contacts_svc.segments.keeper import Keeper
from kantis_kit import observability
from kantis_kit.db.database import CONNECTION_ERRORS, Listener, is_away
from kantis_kit.db.tables import OUTBOX_CHANNEL
from kantis_kit.service import Service
from kantis_kit.tx import write

log = observability.get_logger(__name__)

IDLE_SECONDS = 0.25
"""What time alone changes, and what was touched without an event, is looked for this often."""
_PAUSE_SECONDS = 2.0
_PASSING: tuple[type[BaseException], ...] = (SQLAlchemyError, *CONNECTION_ERRORS)


async def keep_segments(service: Service) -> None:
    """Keep membership until cancelled; woken by the commits that stage events."""
    woken = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(Listener(service.database, OUTBOX_CHANNEL, woken.set).run())
        keeper = Keeper()
        while True:
            woken.clear()
            pause = IDLE_SECONDS
            try:
                async with write(service.scope, actor="segments") as tx:
                    had_work = await keeper.keep(tx)
            except _PASSING as error:
                # What was taken stays untaken: nothing is lost, and the lag tells that it waits.
                log.warning(
                    "segments.not_kept", error=type(error).__name__, database_away=is_away(error)
                )
                had_work, pause = False, _PAUSE_SECONDS
            if not had_work:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await woken.wait()
