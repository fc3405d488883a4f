"""A sender's watch over the database that it sends from."""

import asyncio
from pathlib import Path

from kantis_kit import observability
from kantis_kit.tx import Scope, write
from messaging_svc.quarantine import usecases
from messaging_svc.quarantine.epoch_file import raise_epoch, read_epoch

log = observability.get_logger(__name__)

ACTOR = "sender"
ADVANCE_SECONDS = 10.0
"""A sender at work begins a new epoch this often: what a database that is set back further has forgotten is noticed."""


class Guard:
    """Knows the highest epoch that its sender has seen; claims and hand-overs are made with it."""

    def __init__(self, scope: Scope, folder: Path) -> None:
        self._scope = scope
        self._folder = folder
        self._has_started = False
        self._advance_at = 0.0
        self._reason = ""
        self.epoch = 0

    async def look(self) -> None:
        """Compare; hold sending when this is not the database that sent last. The first look begins an epoch."""
        is_start = not self._has_started
        # Read before the row: the row is written first, so that it is never behind in good times. Other senders of this
        # folder may have seen a higher one: a hold is about all of them, and one release lets all of them go on.
        self.epoch = max(self.epoch, await asyncio.to_thread(read_epoch, self._folder))
        async with write(self._scope, actor=ACTOR) as tx:
            reason = await usecases.check(tx, self.epoch, is_start=is_start)
        if reason and reason != self._reason:
            log.warning("sending.held", reason=reason)
        self._reason = reason
        if is_start:
            self._has_started = True
            await self._advance()

    async def before_sending(self) -> None:
        """Begin a new epoch when the last one is old; called between a claim and its first mail."""
        if asyncio.get_running_loop().time() >= self._advance_at:
            await self._advance()

    async def _advance(self) -> None:
        async with write(self._scope, actor=ACTOR) as tx:
            number = await usecases.advance(tx)
        if number is None:
            return
        self.epoch = max(self.epoch, number)
        self._advance_at = asyncio.get_running_loop().time() + ADVANCE_SECONDS
        if not await asyncio.to_thread(raise_epoch, self._folder, number):
            log.info("sending.epoch_not_kept", folder=str(self._folder))
