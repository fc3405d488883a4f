"""Takes the rows of imports: while the database writes some, the next are read and judged beside the event loop.

What stands in the database is all that counts: a worker that dies leaves the checkpoint of the last commit, and whoever
looks next goes on from there.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from contacts_svc.imports import usecases
from contacts_svc.imports.chunks import Chunk
from kantis_kit import observability
from kantis_kit.db.database import Listener, is_away
from kantis_kit.service import Service
from kantis_kit.tx import read, write

log = observability.get_logger(__name__)

IDLE_SECONDS = 1.0
"""Imports that nobody has told of, as their process has died, are looked for this often."""
FOLLOW_SECONDS = 0.1
"""Whether those who follow are ready for more is looked at this often."""
_PAUSE_SECONDS = 2.0
_AGAIN_SECONDS = 0.2
_PATIENCE = 5
"""How often in a row the same rows may fail."""
BACKLOG = 60
"""So many events may wait to leave; with more, an import gives way."""
_GIVE_WAY_SECONDS = 0.05
_GIVEN_WAY = 20
_WAITING = "SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) AS waiting"


@dataclass(slots=True)
class _Turn:
    """What is known here of an import that runs."""

    ahead: "Future[Chunk] | None" = None
    """The rows that come next, as they are being read."""
    failures: int = 0
    """How often in a row its next rows could not be taken."""


class Worker:
    """Takes rows in one process, of one import after the other by turns."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._scope = service.scope
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="imports")
        self._woken = asyncio.Event()
        self._turns: dict[UUID, _Turn] = {}
        self._last: UUID | None = None
        self._is_followed = True

    async def run(self) -> None:
        """Take rows until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                listener = Listener(
                    self._service.database, usecases.NOTIFY_CHANNEL, self._woken.set
                )
                group.create_task(listener.run())
                while True:
                    self._woken.clear()
                    if not await self._step_safely():
                        await self._wait(IDLE_SECONDS if self._is_followed else FOLLOW_SECONDS)
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _step_safely(self) -> bool:
        try:
            return await self.step()
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("imports.database_away", error=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)
            return True

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    async def step(self) -> bool:
        """Take the next rows of one import, or tell those who follow of the next people; False when there is nothing."""
        async with read(self._scope) as tx:
            waiting = await usecases.list_open(tx)
        running = {import_id: actor for import_id, actor, is_running in waiting if is_running}
        self._turns = {one: self._turns.get(one) or _Turn() for one in running}
        self._is_followed = len(waiting) == len(running)
        if running:
            later = (one for one in running if self._last is None or one > self._last)
            self._last = next(later, next(iter(running)))
            await self._take(self._last, running[self._last], self._turns[self._last])
            return True
        for import_id, _, _ in waiting:
            async with write(self._scope, actor="imports") as tx:
                return await usecases.follow(tx, import_id)
        return False

    async def _take(self, import_id: UUID, actor: str, turn: _Turn) -> None:
        await self._give_way()
        try:
            ahead, turn.ahead = turn.ahead, None
            ready: Chunk | None = None
            if ahead is not None:
                ready = await asyncio.wrap_future(ahead)
            async with write(self._scope, actor=f"import:{actor}") as tx:
                await usecases.take_chunk(
                    tx,
                    import_id,
                    ready=ready,
                    ahead=partial(self._read_ahead, turn),
                    carefully=turn.failures > 0,
                )
            turn.failures = 0
        except Exception as error:
            if is_away(error):
                raise
            turn.ahead = None
            turn.failures += 1
            log.warning(
                "imports.not_taken",
                import_id=str(import_id),
                error=type(error).__name__,
                problem=observability.name_of(error),
            )
            if turn.failures >= _PATIENCE:
                async with write(self._scope, actor="imports") as tx:
                    await usecases.give_up(tx, import_id, observability.name_of(error))
            else:
                await self._wait(_AGAIN_SECONDS * turn.failures)

    def _read_ahead(self, turn: _Turn, work: Callable[[], Chunk]) -> None:
        turn.ahead = self._threads.submit(work)

    async def _give_way(self) -> None:
        """Let what was told leave before more is told: a broker that is away delays an import, and does not stop it."""
        pool = await self._scope.database.pool()
        for _ in range(_GIVEN_WAY):
            if await pool.fetchval(_WAITING, BACKLOG) < BACKLOG:
                return
            await asyncio.sleep(_GIVE_WAY_SECONDS)
