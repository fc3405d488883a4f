"""The loop that tells carriers of parcels."""

import asyncio
from contextlib import suppress

from kantis_kit import observability
from kantis_kit.db.database import Listener, is_away
from kantis_kit.http import OutgoingClient
from kantis_kit.service import Service
from orders_svc.carriers import usecases

log = observability.get_logger(__name__)

IDLE_SECONDS = 30.0
"""Parcels whose carrier could not be reached are told of again this often; a new one is seen at once."""
_TIMEOUT_SECONDS = 15.0
"""Carriers make labels while they answer."""


async def book_parcels(service: Service) -> None:
    """Tell carriers of parcels that wait, until cancelled."""
    client = OutgoingClient(
        timeout_seconds=_TIMEOUT_SECONDS, clock=service.scope.clock, max_in_flight=1
    )
    woken = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(Listener(service.database, usecases.CHANNEL, woken.set).run())
        while True:
            woken.clear()
            try:
                while await usecases.book_next(service.scope, client):
                    pass
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("carriers.database_away", error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await woken.wait()
