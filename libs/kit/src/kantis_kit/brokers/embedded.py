"""The broker that needs no broker: queues as rows in a PostgreSQL database of their own.

Publishing is one statement in one durable transaction. A consumer owns what it has claimed for as long as its process
holds an advisory lock; when the process dies, the lock falls with its connection, and whoever looks next (twice a
second) gives the messages back. NOTIFY wakes the consumers; a slow poll covers a notification that got lost.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import structlog

from kantis_contracts.base import Envelope
from kantis_kit.brokers import embedded_sql as sql
from kantis_kit.brokers.embedded_consumer import LOST, STATEMENT_BYTES, EmbeddedConsumer, write_head
from kantis_kit.brokers.port import Subscription
from kantis_kit.brokers.upkeep import Kept, describe, within
from kantis_kit.db.connection import Connection
from kantis_kit.errors import BrokerError, PublishFailed, Unroutable

log = structlog.get_logger("kantis.broker")

PUBLISH_DEADLINE_SECONDS = 5.0
CONNECT_SECONDS = 4.0
REAP_SECONDS = 0.5
BEATS_BETWEEN_SIGNS_OF_LIFE = 10  # 5 s; a consumer that is silent for 60 s counts as dead
_REFUSING = (asyncpg.ReadOnlySQLTransactionError, asyncpg.InsufficientResourcesError)
_QUEUE = re.compile(
    r"[A-Za-z0-9_.-]{1,56}"
)  # with its prefix it must fit into a NOTIFY channel of 63 bytes

create_schema = sql.create_schema


class EmbeddedBroker:
    """The `Broker` port on a PostgreSQL database that `create_schema` has prepared.

    `duplicate` stores every message twice and `shuffle` delivers in random order: tests use both, because the port
    promises neither uniqueness nor order.
    """

    def __init__(
        self,
        dsn: str,
        *,
        name: str = "kantis",
        duplicate: bool = False,
        shuffle: random.Random | None = None,
        work_connections: int = 3,
        deadline_seconds: float = PUBLISH_DEADLINE_SECONDS,
    ) -> None:
        self._dsn = dsn.replace("postgresql+asyncpg://", "postgresql://", 1)
        self._name = name
        self._copies = 2 if duplicate else 1
        self._shuffle = shuffle
        self._work_connections = work_connections
        self._deadline_seconds = deadline_seconds
        self._connect_seconds = max(CONNECT_SECONDS, deadline_seconds - 1)
        self._session: asyncpg.Connection[Any] | None = None
        self._session_lock = asyncio.Lock()
        self._consumers: set[EmbeddedConsumer] = set()
        self._listening: set[str] = set()
        self._blocked = False
        self._publishing: asyncpg.Pool[Any] | None = None
        self._working: asyncpg.Pool[Any] | None = None
        self._kept = Kept("embedded broker", self._hold)

    @property
    def state(self) -> str:
        """Return `up`, `blocked` (the database refuses writes) or `down`."""
        if not self._kept.is_up:
            return "down"
        return "blocked" if self._blocked else "up"

    async def start(self) -> None:
        """Connect.

        Raises:
            BrokerError: the database is away, or has no broker tables.
        """
        limit = f"{max(PUBLISH_DEADLINE_SECONDS, self._deadline_seconds):.0f}s"
        self._publishing = self._pool(2, synchronous_commit="on", statement_timeout=limit)
        # A lost ack or claim only means that a message comes again, so these need not wait for the disk.
        self._working = self._pool(
            self._work_connections, synchronous_commit="off", statement_timeout="30s"
        )
        await self._publishing
        await self._working
        try:
            await self._kept.start(self._connect_seconds + 1)
        except BrokerError:
            await self._close_pools()
            raise

    async def stop(self) -> None:
        """Finish what is in flight and disconnect."""
        await self._kept.stop()
        await self._close_pools()

    async def declare(self, subscriptions: Sequence[Subscription]) -> None:
        """Bind these queues to exactly these types; a subscription without types unbinds its queue.

        Raises:
            BrokerError: the database is away, or a queue's name does not fit.
        """
        for subscription in subscriptions:
            _check_name(subscription.queue)
        try:
            async with (
                asyncio.timeout(max(PUBLISH_DEADLINE_SECONDS, self._deadline_seconds)),
                self._open(self._publishing).acquire() as connection,
                connection.transaction(),
            ):
                for each in sorted(subscriptions, key=lambda subscription: subscription.queue):
                    await connection.execute(sql.UNBIND, each.queue, list(each.types))
                    await connection.execute(sql.BIND, each.queue, sorted(set(each.types)))
        except LOST as error:
            message = f"the queues could not be declared: {describe(error)}"
            raise BrokerError(message) from error

    async def publish(self, envelopes: Sequence[Envelope]) -> list[BrokerError | None]:
        """Store all in as few statements as their size allows; each statement is one transaction."""
        pool = self._open(self._publishing)
        outcomes: list[BrokerError | None] = [
            PublishFailed("the broker's database did not confirm in time")
        ] * len(envelopes)
        with suppress(TimeoutError):
            await within(self._deadline_seconds, self._store(pool, envelopes, outcomes))
        return list(outcomes)

    @asynccontextmanager
    async def consume(
        self, queue: str, *, prefetch: int = 1_000
    ) -> AsyncIterator[EmbeddedConsumer]:
        """Open a consumer; leaving gives back what was not acked."""
        self._open(self._working)
        _check_name(queue)
        consumer = EmbeddedConsumer(self.work, queue, prefetch, self._shuffle)
        self._consumers.add(consumer)
        try:
            if self._kept.is_up:
                with suppress(*LOST):  # the session's upkeep enlists it then
                    await self._enlist(consumer)
            yield consumer
        finally:
            self._consumers.discard(consumer)
            with suppress(*LOST):
                await within(CONNECT_SECONDS, self._dismiss(consumer))

    async def depth(self, queue: str) -> int:
        """Return how many messages wait in the queue or are unacked.

        Raises:
            BrokerError: the database is away.
        """
        try:
            return int((await within(self._deadline_seconds, self.work(sql.DEPTH, queue)))[0][0])
        except LOST as error:
            message = f"the depth of {queue} cannot be read: {describe(error)}"
            raise BrokerError(message) from error

    async def work(self, statement: str, *arguments: object) -> list[Any]:
        """Run one statement of a consumer."""
        async with self._open(self._working).acquire() as connection:
            return list(await connection.fetch(statement, *arguments))

    # -- the session: one idle connection that listens and holds the owners' locks

    async def _hold(self, kept: Kept) -> None:
        session = await asyncpg.connect(
            self._dsn,
            timeout=self._connect_seconds,
            server_settings=self._settings(),
            connection_class=Connection,
        )
        lost = asyncio.Event()
        session.add_termination_listener(lambda _: lost.set())
        try:
            if not await session.fetchval(sql.TABLES_EXIST):
                message = "the broker's database has no tables: run create_schema on it first"
                raise BrokerError(message)
            self._session = session
            for consumer in list(self._consumers):
                await self._enlist(consumer)
            kept.ready()
            beat = 0
            while not lost.is_set():
                await self._upkeep(beat)
                beat += 1
                with suppress(TimeoutError):
                    async with asyncio.timeout(REAP_SECONDS):
                        await lost.wait()
        finally:
            self._session = None
            self._listening.clear()
            for consumer in self._consumers:
                consumer.enlisted(None)
            session.terminate()

    async def _upkeep(self, beat: int) -> None:
        try:
            await self.work(sql.REAP)
            for consumer in list(self._consumers):
                await self._enlist(consumer)  # whom a lost connection of the pool kept from it
            if beat % BEATS_BETWEEN_SIGNS_OF_LIFE == 0:
                await self._sign_of_life()
                await self.work(sql.SWEEP)
            self._blocked = False
        except _REFUSING as error:
            if not self._blocked:
                log.warning("broker.blocked", reason=describe(error))
            self._blocked = True
            # Connections made while the database was read-only stay so: the next ones may be better.
            for pool in (self._publishing, self._working):
                await self._open(pool).expire_connections()

    async def _sign_of_life(self) -> None:
        owners = {
            consumer.owner: consumer for consumer in self._consumers if consumer.owner is not None
        }
        seen = {row[0] for row in await self.work(sql.SEEN, list(owners))}
        for owner, consumer in owners.items():
            if owner not in seen and consumer.owner == owner:
                log.warning("broker.consumer_was_buried_alive", queue=consumer.queue)
                consumer.enlisted(None)
                await self._enlist(consumer)

    async def _enlist(self, consumer: EmbeddedConsumer) -> None:
        async with self._session_lock:
            session = self._session
            if session is None or consumer.owner is not None:
                return
            if consumer.queue not in self._listening:
                await session.add_listener(f"queue.{consumer.queue}", self._wake)
                self._listening.add(consumer.queue)
            owner = (await self.work(sql.NEW_OWNER))[0][0]
            await session.execute(sql.LOCK_OWNER, owner)
            await self.work(sql.ENTER, owner, consumer.queue)
            consumer.enlisted(owner)

    async def _dismiss(self, consumer: EmbeddedConsumer) -> None:
        owner, consumer.owner = consumer.owner, None
        if owner is None:
            return
        try:
            await self.work(sql.LEAVE, owner)
        finally:
            async with self._session_lock:
                if self._session is not None:
                    await self._session.execute(sql.UNLOCK_OWNER, owner)

    def _wake(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        queue = channel.removeprefix("queue.")
        for consumer in self._consumers:
            if consumer.queue == queue:
                consumer.wake.set()

    # -- storing

    async def _store(
        self,
        pool: "asyncpg.Pool[Any]",
        envelopes: Sequence[Envelope],
        outcomes: list[BrokerError | None],
    ) -> None:
        rows: list[tuple[int, str, bytes, bytes]] = []
        size = 0
        for position, envelope in enumerate(envelopes):
            try:
                head = write_head(envelope)
            except PublishFailed as error:
                outcomes[position] = error
                continue
            if rows and size + len(envelope.data) > STATEMENT_BYTES:
                await self._store_rows(pool, rows, outcomes)
                rows, size = [], 0
            rows.append((position, envelope.type, head, envelope.data))
            size += len(envelope.data)
        if rows:
            await self._store_rows(pool, rows, outcomes)

    async def _store_rows(
        self,
        pool: "asyncpg.Pool[Any]",
        rows: list[tuple[int, str, bytes, bytes]],
        outcomes: list[BrokerError | None],
    ) -> None:
        positions, types, heads, bodies = zip(*rows, strict=True)
        try:
            async with pool.acquire() as connection:
                result = await connection.fetchrow(sql.PUBLISH, types, heads, bodies, self._copies)
        except LOST as error:
            if isinstance(error, _REFUSING):
                self._blocked = True
                await pool.expire_connections()
            for position in positions:
                outcomes[position] = PublishFailed(
                    f"the broker's database did not take it: {describe(error)}"
                )
            return
        unroutable = set(result["unroutable"])
        for position, type_ in zip(positions, types, strict=True):
            outcomes[position] = (
                Unroutable(f"no queue is bound for {type_}") if type_ in unroutable else None
            )

    # -- connections

    def _pool(self, size: int, **settings: str) -> "asyncpg.Pool[Any]":
        return asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=size,
            timeout=self._connect_seconds,
            reset=_keep_as_it_is,
            connection_class=Connection,
            server_settings=self._settings(**settings),
        )

    def _settings(self, **settings: str) -> dict[str, str]:
        # The tables are small or empty most of the time, then suddenly not: plans must not depend on statistics.
        return {
            "application_name": f"{self._name}:broker",
            "jit": "off",
            "enable_seqscan": "off",
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
            **settings,
        }

    def _open(self, pool: "asyncpg.Pool[Any] | None") -> "asyncpg.Pool[Any]":
        if pool is None:
            message = "the broker is not started: call start() first"
            raise BrokerError(message)
        return pool

    async def _close_pools(self) -> None:
        pools, self._publishing, self._working = (self._publishing, self._working), None, None
        for pool in filter(None, pools):
            try:
                await within(CONNECT_SECONDS, pool.close())
            except LOST:
                pool.terminate()


async def _keep_as_it_is(_connection: object) -> None:
    """Skip asyncpg's reset: our statements leave nothing behind, and it would cost a round trip each time."""


def _check_name(queue: str) -> None:
    if not _QUEUE.fullmatch(queue):
        message = f"{queue!r} is no name for a queue: use 1 to 56 letters, digits, dots, dashes and underscores"
        raise BrokerError(message)
