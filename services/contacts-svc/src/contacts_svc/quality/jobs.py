"""The loop that looks for duplicates."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from contacts_svc.quality import finder
from kantis_kit import observability
from kantis_kit.db.database import CONNECTION_ERRORS, is_away
from kantis_kit.service import Service
from kantis_kit.tx import write

log = observability.get_logger(__name__)

IDLE_SECONDS = 1.0
"""Duplicates are not urgent: who has changed is looked for this often."""
_PASSING: tuple[type[BaseException], ...] = (SQLAlchemyError, *CONNECTION_ERRORS)


async def find_duplicates(service: Service) -> None:
    """Compare those who have changed until cancelled, a bounded number at a time."""
    while True:
        had_work = False
        try:
            for step in (finder.take, finder.compare):
                async with write(service.scope, actor="duplicates") as tx:
                    had_work = await step(tx) or had_work
        except _PASSING as error:
            # What was taken stays untaken: nothing is lost.
            log.warning(
                "duplicates.not_found", error=type(error).__name__, database_away=is_away(error)
            )
        if not had_work:
            await asyncio.sleep(IDLE_SECONDS)
