"""A few connections for single statements that follow each other closely."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from kantis_kit.db.away import is_away


class Lender:
    """Lends connections as they are: a single statement leaves nothing behind that would have to be reset.

    A pool takes each connection back in a task of its own: for statements of some leads, a good part of their price.
    """

    def __init__(
        self, connect: Callable[[], Awaitable["asyncpg.Connection[Any]"]], *, size: int
    ) -> None:
        self._connect = connect
        self._room = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection[Any]] = []
        self._is_closed = False

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """Lend a connection for a block; one that was ended in a statement, or is lost, is not lent again."""
        async with self._room:
            connection = self._take() or await self._connect()
            try:
                yield connection
            except BaseException as error:
                if not isinstance(error, Exception) or is_away(error):
                    connection.terminate()
                raise
            finally:
                self._take_back(connection)

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        """Return the rows of a statement."""
        async with self.acquire() as connection:
            return list(await connection.fetch(statement, *arguments))

    async def close(self) -> None:
        """Close what is idle; what is lent is closed when it comes back."""
        self._is_closed = True
        while self._idle:
            await self._idle.pop().close(timeout=5)

    def terminate(self) -> None:
        """Close at once."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().terminate()

    def _take(self) -> "asyncpg.Connection[Any] | None":
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    def _take_back(self, connection: "asyncpg.Connection[Any]") -> None:
        if self._is_closed:
            connection.terminate()
        elif not connection.is_closed():
            self._idle.append(connection)


__all__ = ["Lender"]
