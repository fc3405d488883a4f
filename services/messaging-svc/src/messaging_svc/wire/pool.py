"""The connections to one mail server: opened as there is work for them, kept, replaced when they break."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

from kantis_kit import observability
from messaging_svc.wire.answers import Lost, Refused
from messaging_svc.wire.connection import Connection, Desk
from messaging_svc.wire.server import Server

log = observability.get_logger(__name__)

_FIRST_PAUSE_SECONDS = 0.5
_LAST_PAUSE_SECONDS = 30.0


class Pool:
    """Up to so many connections to a server, all fed by one desk."""

    def __init__(
        self, server: Server, desk: Desk, size: int, opened: Callable[[], None] | None = None
    ) -> None:
        self._server = server
        self._desk = desk
        self._size = size
        self._opened = opened or (lambda: None)
        self._connections: list[Connection] = []
        self._wanted: asyncio.Queue[None] = asyncio.Queue(maxsize=1)
        self._stopping = asyncio.Event()
        self._failures = 0
        self._random = random.Random()  # noqa: S311 - jitter, not a secret

    @property
    def is_open(self) -> bool:
        """Say whether a message could leave now."""
        return any(one.is_open for one in self._connections)

    @property
    def is_away(self) -> bool:
        """Say whether the last attempt to reach the server failed."""
        return self._failures > 0 and not self.is_open

    def poke(self, waiting: Callable[[], int]) -> None:
        """Say that there is something to take: idle connections take it, and what stays wants one more."""
        for connection in list(self._connections):
            if not waiting():
                return
            connection.poke()
        if waiting():
            self.want()

    def want(self) -> None:
        """Have one more connection, when there may be one more."""
        if len(self._connections) < self._size and not self._wanted.full():
            self._wanted.put_nowait(None)

    async def run(self) -> None:
        """Keep the connections until told to stop, and then until the last has left."""
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._keep()) for _ in range(self._size)]
            await self._stopping.wait()
            leaving = list(self._connections)
            for connection in leaving:
                if connection.is_open:
                    connection.finish()
                else:
                    connection.abort("we are leaving")
            await asyncio.gather(*(connection.ended() for connection in leaving))
            for keeper in keepers:
                keeper.cancel()

    def finish(self) -> None:
        """Take nothing new, end what is under way, leave."""
        self._stopping.set()

    def abort(self) -> None:
        """Drop every connection at once."""
        for connection in list(self._connections):
            connection.abort("we gave up")

    async def _keep(self) -> None:
        while not self._stopping.is_set():
            await self._wanted.get()
            connection = Connection(self._server, self._desk)
            self._connections.append(connection)
            try:
                await connection.open()
            except (Lost, Refused) as error:
                self._connections.remove(connection)
                self._failures += 1
                log.warning("wire.server_away", host=self._server.host, error=str(error))
                await self._pause()
                self.want()
                continue
            except BaseException:
                connection.abort()
                self._connections.remove(connection)
                raise
            self._failures = 0
            try:
                if self._stopping.is_set():
                    connection.finish()
                else:
                    self._opened()
                reason = await connection.ended()
            finally:
                connection.abort()
                self._connections.remove(connection)
            if reason and not self._stopping.is_set():
                log.info("wire.connection_ended", host=self._server.host, reason=reason)
            self._opened()

    async def _pause(self) -> None:
        longest = min(_LAST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 10))
        with suppress(TimeoutError):
            async with asyncio.timeout(self._random.uniform(0.2, 1) * longest):
                await self._stopping.wait()
