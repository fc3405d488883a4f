"""Erasures hold, whatever the database was set back to."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from contacts_svc.privacy import inside, retention, saga, usecases
from kantis_kit import observability
from kantis_kit.forgetting import sweeps
from kantis_kit.retention import keep
from kantis_kit.service import Service
from kantis_kit.timers import Timer, on_timer, recurring
from kantis_kit.tx import Tx, write

log = observability.get_logger(__name__)

PAUSE_SECONDS = 1.0
SWEEP, SWEEP_ALL = sweeps(inside.sweep)


async def erase_again_at_start(service: Service) -> None:
    """Erase those who came back with a restored database; again until it has been done once."""
    while True:
        try:
            async with write(service.scope, actor="erasures") as tx:
                await usecases.erase_again(tx)
        except Exception as error:  # noqa: BLE001 - whatever it is: who was erased must not stay
            log.warning("erasures.not_reapplied", error=observability.name_of(error))
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return


@recurring("privacy.erase_again", every=timedelta(hours=1))
async def erase_again(tx: Tx) -> None:
    """Erase those who came back with a database that was set back under a running service."""
    await usecases.erase_again(tx)


@on_timer(saga.ASK_TIMER)
async def ask_again(tx: Tx, timers: Sequence[Timer]) -> None:
    """Ask those again who have not answered to an erasure."""
    await saga.ask_again(tx, [UUID(timer.key) for timer in timers])


@recurring("privacy.remind", every=timedelta(hours=6))
async def remind(tx: Tx) -> None:
    """Tell everybody again who was forgotten lately: a service may have been set back."""
    await saga.remind(tx)


@recurring("privacy.retain", cron="*/10 1-4 * * *")
async def retain(tx: Tx) -> None:
    """Delete or empty what is older than it may be, a bounded batch at a time, at night: it looks at whole tables."""
    await keep(tx, retention.RULES, service="contacts")
