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
_LAST_PAUSE_ON_TRIAL_SECONDS = 300.0


class Pool:
    """Up to so many connections to a server, all fed by one desk.

    Args:
        server: where they lead.
        desk: whose messages they take.
        size: the most connections.
        opened: called when a connection is open, or when there is room for another one.
        closed: called when the last open connection has gone.
        failed: called with the reason when the server could not be reached and no connection is open.
    """

    def __init__(
        self,
        server: Server,
        desk: Desk,
        size: int,
        opened: Callable[[], None] | None = None,
        *,
        closed: Callable[[], None] | None = None,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        self._server = server
        self._desk = desk
        self._size = size
        self._opened = opened or (lambda: None)
        self._closed = closed or (lambda: None)
        self._failed = failed or (lambda _reason: None)
        self._connections: list[Connection] = []
        self._wanted: asyncio.Queue[None] = asyncio.Queue(maxsize=1)
        self._stopping = asyncio.Event()
        self._failures = 0
        self._is_on_trial = False
        self._random = random.Random()  # noqa: S311 - jitter, not a secret

    @property
    def is_open(self) -> bool:
        """Say whether a message could leave now."""
        return any(one.is_open for one in self._connections)

    @property
    def is_away(self) -> bool:
        """Say whether the last attempt to use the server failed."""
        return self._failures > 0 and (self._is_on_trial or not self.is_open)

    @property
    def is_on_trial(self) -> bool:
        """Say whether it can be reached again and has not answered to a message since."""
        return self._is_on_trial and self.is_open

    def trust(self) -> None:
        """Hear that the server has answered to a message: the trial is over."""
        self._failures, self._is_on_trial = 0, False
        self._opened()

    @property
    def open_connections(self) -> int:
        """Say over how many connections messages can leave now."""
        return sum(one.is_open for one in self._connections)

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
                if not self.is_open:
                    self._failed(str(error))
                await self._pause()
                self.want()
                continue
            except BaseException:
                connection.abort()
                self._connections.remove(connection)
                raise
            if not self._is_on_trial:
                self._failures = 0
            await self._until_ended(connection)
            if self._is_on_trial:
                await self._pause()
                self.want()
            self._opened()

    async def _until_ended(self, connection: Connection) -> None:
        may_pipeline = self._server.may_pipeline()
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
        if not self.is_open:
            self._closed()
        if connection.was_in_vain and self._server.may_pipeline() == may_pipeline:
            # It opens and then does nothing for us. Who learnt only that nothing is to be sent ahead tries at once.
            self._failures += 1
            self._is_on_trial = True
            self._failed(reason)

    async def _pause(self) -> None:
        # A trial costs a message its certainty where the server falls silent behind the content: it comes more rarely.
        last = _LAST_PAUSE_ON_TRIAL_SECONDS if self._is_on_trial else _LAST_PAUSE_SECONDS
        longest = min(last, _FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 10))
        with suppress(TimeoutError):
            async with asyncio.timeout(self._random.uniform(0.2, 1) * longest):
                await self._stopping.wait()
