"""The loop that looks for duplicates, and the work that tells of old merges."""

import asyncio
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from contacts_svc.quality import finder, telling
from kantis_kit import observability
from kantis_kit.db.database import CONNECTION_ERRORS, is_away
from kantis_kit.service import Service
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx, write

log = observability.get_logger(__name__)

IDLE_SECONDS = 1.0
"""Duplicates are not urgent: who has changed is looked for this often."""
REST = 1.0
"""How long the search rests, in times of what the last turn took: it has half of the loop at most."""
STEPS = (finder.take, finder.compare, finder.renew)
_PASSING: tuple[type[BaseException], ...] = (SQLAlchemyError, *CONNECTION_ERRORS)


def moment() -> float:
    """Return the time of the loop, to measure by."""
    return asyncio.get_running_loop().time()


async def find_duplicates(service: Service) -> None:
    """Compare those who have changed until cancelled, a bounded number at a time, and rest as long as that took.

    After an import of many the search takes longer; whoever asks the service for something does not wait for it.
    """
    while True:
        had_work, begun = False, moment()
        try:
            for step in STEPS:
                async with write(service.scope, actor="duplicates") as tx:
                    had_work = await step(tx) or had_work
        except _PASSING as error:
            # What was taken stays untaken: nothing is lost.
            log.warning(
                "duplicates.not_found", error=type(error).__name__, database_away=is_away(error)
            )
        await asyncio.sleep((moment() - begun) * REST if had_work else IDLE_SECONDS)


@recurring("merges.tell", every=timedelta(minutes=10))
async def tell_merges(tx: Tx) -> None:
    """Tell of merges that the other services were never told of."""
    await telling.tell(tx)
