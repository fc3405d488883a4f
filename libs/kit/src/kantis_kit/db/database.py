"""One engine per service for use cases, and a small raw pool for the chassis' own loops."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from kantis_kit.db.away import CONNECTION_ERRORS, is_away
from kantis_kit.db.connection import Connection
from kantis_kit.db.lending import Lender

KEYED_POOL_SIZE = 2


class Database:
    """The database of one service, as its run-time role."""

    def __init__(
        self,
        dsn: str,
        *,
        name: str = "kantis",
        pool_size: int = 8,
        worker_pool_size: int = 4,
        statement_timeout_ms: int = 30_000,
        lock_timeout_ms: int = 2_000,
        connect_timeout_seconds: float = 5.0,
    ) -> None:
        self._dsn = dsn
        self._connect_timeout = connect_timeout_seconds
        self._name = name
        self._worker_pool_size = worker_pool_size
        self._server_settings = {
            "application_name": name,
            "statement_timeout": str(statement_timeout_ms),
            "lock_timeout": str(lock_timeout_ms),
            "idle_in_transaction_session_timeout": "60000",
            "timezone": "UTC",
            "jit": "off",  # our statements are short: compiling them costs more than it saves
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
        }
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self.connect,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=2 * connect_timeout_seconds,
            pool_recycle=1800,
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self.sessions = async_sessionmaker(self.engine, class_=AsyncSession, expire_on_commit=False)
        self._pool: asyncpg.Pool[Any] | None = None
        self._keyed: Lender | None = None
        self._pool_lock = asyncio.Lock()

    async def connect(self, *_: Any, **__: Any) -> "asyncpg.Connection[Any]":
        """Open a connection of its own (for LISTEN, COPY outside a request, advisory locks)."""
        return await self._connect({})

    async def _connect(self, more: dict[str, str]) -> "asyncpg.Connection[Any]":
        connection = await asyncpg.connect(
            self._dsn,
            server_settings={**self._server_settings, **more},
            timeout=self._connect_timeout,
            statement_cache_size=256,
            connection_class=Connection,
        )
        return connection  # noqa: RET504 - typed by the annotation

    async def pool(self) -> "asyncpg.Pool[Any]":
        """Return the raw pool; made at its first use, so that a service starts while the database is away."""
        if self._pool is None:
            async with self._pool_lock:
                if self._pool is None:
                    self._pool = await self._make_pool(self._worker_pool_size)
        return self._pool

    async def keyed_pool(self) -> Lender:
        """Return raw connections for single statements that find every row by a key, those behind foreign keys included.

        A plan is made once for each connection, maybe while a table is empty: it would read the table from end to end
        for every row, for as long as nobody has counted it again.
        """
        if self._keyed is None:
            self._keyed = Lender(
                lambda: self._connect({"enable_seqscan": "off"}), size=KEYED_POOL_SIZE
            )
        return self._keyed

    async def _make_pool(self, size: int) -> "asyncpg.Pool[Any]":
        pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=size,
            timeout=self._connect_timeout,
            max_inactive_connection_lifetime=300,
            server_settings=self._server_settings,
            reset=_keep_as_it_is,
            connection_class=Connection,
        )
        return pool  # noqa: RET504 - typed by the annotation

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        pool = await self.pool()
        async with pool.acquire(timeout=2) as connection:
            await connection.fetchval("SELECT 1", timeout=2)

    async def close(self) -> None:
        """Close every connection."""
        pools: tuple[asyncpg.Pool[Any] | Lender | None, ...] = (self._pool, self._keyed)
        self._pool = self._keyed = None
        for pool in pools:
            if pool is None:
                continue
            try:
                await asyncio.wait_for(pool.close(), timeout=5)
            except TimeoutError:
                pool.terminate()
        await self.engine.dispose()


async def _keep_as_it_is(_connection: object) -> None:
    """Skip asyncpg's reset: the loops leave nothing behind, and it would cost a round trip at each statement."""


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Have the pool open another connection for one that the server has closed meanwhile; asks nobody."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


class Listener:
    """Keeps a LISTEN alive on a connection of its own and calls back at each notification.

    With `told`, notifications go there with what they carry; `wake` is then called when some may have been missed.
    """

    def __init__(
        self,
        database: Database,
        channel: str,
        wake: Callable[[], None],
        *,
        told: Callable[[str], None] | None = None,
    ) -> None:
        self._database = database
        self._channel = channel
        self._wake = wake
        self._told = told

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        if self._told is None:
            self._wake()
        else:
            self._told(str(payload))

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Listen for ever; reconnect with a pause when the connection is lost."""
        while True:
            try:
                connection = await self._database.connect()
            except CONNECTION_ERRORS:
                await sleep(0.5)
                continue
            lost = asyncio.Event()
            try:
                connection.add_termination_listener(lambda *_, lost=lost: lost.set())
                await connection.add_listener(self._channel, self._hear)
                self._wake()
                await lost.wait()
            except CONNECTION_ERRORS:
                await sleep(0.5)
            finally:
                await _close_quietly(connection)


async def _close_quietly(connection: "asyncpg.Connection[Any]") -> None:
    try:
        await asyncio.wait_for(connection.close(), timeout=2)
    except (*CONNECTION_ERRORS, asyncpg.PostgresError):
        connection.terminate()


__all__ = ["CONNECTION_ERRORS", "Database", "Listener", "is_away"]
