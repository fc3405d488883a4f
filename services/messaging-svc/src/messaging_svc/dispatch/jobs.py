"""The pass over messages that somebody comes for: who may not get one is settled, the rest stands ready."""

import asyncio
from contextlib import suppress

from kantis_contracts.base import MAX_ITEMS
from kantis_kit import observability
from kantis_kit.db.database import Listener, is_away
from kantis_kit.service import Loop, Service
from kantis_kit.tx import write
from messaging_svc.dispatch.ledger import Ledger
from messaging_svc.dispatch.pulled import Pulled, look_over
from messaging_svc.dispatch.sql import NOTIFY_CHANNEL
from messaging_svc.quarantine.guard import Guard
from messaging_svc.settings import MessagingSettings

log = observability.get_logger(__name__)

IDLE_SECONDS = 5.0
"""What falls due and leases that ran out are looked at this often; new rows at once."""
_AT_ONCE = 500


def preparing(*channels: Pulled) -> Loop:
    """Return the loop that prepares the messages of these channels."""

    async def prepare_pulled(service: Service) -> None:
        settings = service.settings
        if not isinstance(settings, MessagingSettings):
            message = "messaging-svc needs MessagingSettings"
            raise TypeError(message)
        # It hands nothing over, so that it looks at no epoch; those who send do.
        ledger = Ledger(service.scope, settings, Guard(service.scope, settings.data_dir))
        woken = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(Listener(service.database, NOTIFY_CHANNEL, woken.set).run())
            while True:
                woken.clear()
                try:
                    await _prepare(service, ledger, channels)
                except Exception as error:
                    if not is_away(error):
                        raise
                    log.warning("pulled.database_away", error=type(error).__name__)
                with suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await woken.wait()

    return prepare_pulled


async def _prepare(service: Service, ledger: Ledger, channels: tuple[Pulled, ...]) -> None:
    await ledger.recover()
    for channel in channels:
        decided = _AT_ONCE
        while decided >= _AT_ONCE:
            async with write(service.scope, actor="sender") as tx:
                decided = await look_over(tx, channel, _AT_ONCE)
    # Without a mail server there is no sender that tells how messages ended.
    while await ledger.announce() >= MAX_ITEMS:
        pass
