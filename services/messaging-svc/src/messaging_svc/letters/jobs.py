"""The loop that makes batches, and the deletion of their files."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from kantis_contracts.base import MAX_ITEMS
from kantis_kit import observability
from kantis_kit.db.database import Listener, is_away
from kantis_kit.service import Service
from kantis_kit.timers import Timer, on_timer
from kantis_kit.tx import Tx
from messaging_svc.dispatch.ledger import Ledger
from messaging_svc.letters import files, sql, usecases
from messaging_svc.letters.press import Press
from messaging_svc.quarantine.guard import Guard
from messaging_svc.settings import MessagingSettings

log = observability.get_logger(__name__)

IDLE_SECONDS = 5.0
"""Batches whose worker has fallen silent are looked for this often; a new one is seen at once."""


@on_timer(usecases.FORGET_TIMER)
async def forget_files(tx: Tx, timers: Sequence[Timer]) -> None:
    """Delete the files of batches whose time is over."""
    folder = tx.settings(MessagingSettings).data_dir
    for timer in timers:
        await files.forget(folder, UUID(timer.key))
        await usecases.mark_forgotten(tx, UUID(timer.key))


async def print_letters(service: Service) -> None:
    """Make batches until cancelled."""
    settings = service.settings
    if not isinstance(settings, MessagingSettings):
        message = "messaging-svc needs MessagingSettings"
        raise TypeError(message)
    guard = Guard(service.scope, settings.data_dir)
    press = Press(service.scope, settings, guard)
    ledger = Ledger(service.scope, settings, guard)
    woken = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(Listener(service.database, sql.NOTIFY_CHANNEL, woken.set).run())
        while True:
            woken.clear()
            try:
                await guard.look()
                while await press.make_next():
                    pass
                # Without a mail server there is no sender that tells how letters ended.
                while await ledger.announce() >= MAX_ITEMS:
                    pass
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("letters.database_away", error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await woken.wait()
