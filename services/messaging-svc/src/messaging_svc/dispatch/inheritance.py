"""What dead senders of this machine left: read from their journals, and put right in the ledger."""

import asyncio
from pathlib import Path

from kantis_kit import observability
from kantis_kit.tx import Scope, write
from messaging_svc.dispatch import sql
from messaging_svc.wire.journal import Legacy, Mark, journals_in, legacy_at

log = observability.get_logger(__name__)

_ACTOR = "sender"
FOLDER = "sending"


async def inherit(scope: Scope, data_dir: Path) -> bool:
    """Put right what dead senders left; what they had begun without an answer is left to its lease."""
    paths = await asyncio.to_thread(journals_in, data_dir / FOLDER)
    found = False
    for path in paths:
        with legacy_at(path) as legacy:
            if legacy is not None:
                await _settle(scope, legacy)
                found = True
    return found


async def _settle(scope: Scope, legacy: Legacy) -> None:
    again = [one for one in legacy.notes if one.mark in (Mark.AHEAD, Mark.REFUSED)]
    done = [one for one in legacy.notes if one.mark is Mark.ACCEPTED]
    now = scope.clock.now()
    async with write(scope, actor=_ACTOR) as tx:
        await tx.execute(sql.FREE_CLAIMED, {"sender": legacy.sender, "now": now})
        await tx.execute(
            sql.NOT_BEGUN,
            {
                "ids": [one.id for one in again],
                "fences": [one.fence for one in again],
                "spared": [one.mark is Mark.AHEAD for one in again],
                "sender": legacy.sender,
                "now": now,
            },
        )
        await tx.execute(
            sql.ANSWERED,
            {
                "ids": [one.id for one in done],
                "fences": [one.fence for one in done],
                "sender": legacy.sender,
                "now": now,
            },
        )
    begun = sum(one.mark is Mark.BEGUN for one in legacy.notes)
    log.info("sender.inherited", not_begun=len(again), accepted=len(done), in_doubt=begun)
