"""The loop that lets a copy of the facts follow them."""

import asyncio

from analytics_svc.questions import usecases
from analytics_svc.questions.errors import StoreAway
from analytics_svc.questions.store import CopyStore, FactStore
from kantis_kit import observability
from kantis_kit.db.database import is_away
from kantis_kit.service import Service
from kantis_kit.tx import write

log = observability.get_logger(__name__)

IDLE_SECONDS, AWAY_SECONDS = 2.0, 10.0


async def copy_facts(service: Service) -> None:
    """Copy for ever where the settings choose a copy; elsewhere end what was chosen before, and be done."""
    store = service.scope.extras[FactStore]
    if not isinstance(store, CopyStore):
        async with write(service.scope, actor="facts") as tx:
            await usecases.end_copy(tx)
        return
    agreed = False
    while True:
        pause = IDLE_SECONDS
        try:
            agreed = agreed or await _agreed(service, store)
            async with write(service.scope, actor="facts") as tx:
                if await usecases.copy_some(tx, store):
                    pause = 0
        except Exception as error:
            if not (isinstance(error, StoreAway) or is_away(error)):
                raise
            log.warning("facts.copy_waits", store=store.name, error=str(error)[:200])
            agreed, pause = False, AWAY_SECONDS
        await asyncio.sleep(pause)


async def _agreed(service: Service, store: CopyStore) -> bool:
    async with write(service.scope, actor="facts") as tx:
        if await usecases.agree(tx, store):
            log.info("facts.copy_begins", store=store.name)
    return True
