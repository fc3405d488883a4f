"""A whole service, or several, on a fresh database each, the embedded broker and a frozen clock.

The loops are the real ones; `drain` waits until everything that follows from what was done has been done.
"""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from kantis_contracts.base import REGISTRY, SERVICES, Envelope, Event
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import issue_token
from kantis_kit.brokers.embedded import EmbeddedBroker
from kantis_kit.brokers.port import Subscription
from kantis_kit.brokers.rabbit import RabbitBroker
from kantis_kit.clock import FrozenClock
from kantis_kit.consumer import subscriptions
from kantis_kit.db import tables
from kantis_kit.db.database import CONNECTION_ERRORS
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import ServiceDsns
from kantis_kit.ids import new_id
from kantis_kit.outbox import cut
from kantis_kit.service import Service, ServiceSpec
from kantis_kit.signing import Keys, make_keys
from kantis_kit.testing.postgres import PostgresServer
from kantis_kit.testing.rig_shares import EMPTY_BROKER, build_broker, share_broker, share_statements
from kantis_kit.testing.waiting import eventually

EventT = TypeVar("EventT", bound=Event)
LINK_KEYS = "1:" + "5a" * 32
PROBE = "probe.everything"
PATIENCE_SECONDS = 60.0
PATIENT: Mapping[str, Any] = {
    "connect_timeout_seconds": PATIENCE_SECONDS,
    "lock_timeout_ms": 60_000,
    "statement_timeout_ms": 300_000,
    "request_timeout_seconds": 2 * PATIENCE_SECONDS,
}
"""Limits that no test meets because its machine stood still for some seconds."""

EXTRA_PRODUCERS = ("probe", "gateway")


_REST_SECONDS = (
    240  # a guard against hanging: hundreds of people are forgotten in six services on two cores
)
_WAITING = "SELECT EXISTS (SELECT FROM message WHERE queue = ANY($1::text[]))"


class Rig:
    """What a test holds: services, clients, clock, and the events that were published."""

    def __init__(
        self,
        clock: FrozenClock,
        keys_dir: Path,
        data_dir: Path,
        broker: "EmbeddedBroker | RabbitBroker",
    ) -> None:
        self.broker = broker
        self.clock = clock
        self.keys_dir = keys_dir
        self.data_dir = data_dir
        self.services: dict[str, Service] = {}
        self.dsns: dict[str, str] = {}
        self.envelopes: list[Envelope] = []
        self._seen: set[Any] = set()
        self._asking: dict[str, asyncpg.Connection[Any]] = {}
        self._one_asks = asyncio.Lock()

    @property
    def service(self) -> Service:
        """The service under test, when there is one."""
        (only,) = self.services.values()
        return only

    def client(
        self,
        service: str | None = None,
        *,
        scopes: Sequence[str] = ("*",),
        caller: str = "test-key",
    ) -> httpx.AsyncClient:
        """Return a client that calls a service as the gateway does, with these scopes."""
        target = self.services[service] if service else self.service
        token = self.token(target.spec.name, scopes=scopes, caller=caller)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=target.asgi),
            base_url="http://service.test",
            headers={"Authorization": f"Bearer {token}"},
        )

    def anonymous(self, service: str | None = None) -> httpx.AsyncClient:
        """Return a client without a key, as a visitor's browser is one."""
        target = self.services[service] if service else self.service
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=target.asgi), base_url="http://service.test"
        )

    def token(
        self, service: str, *, scopes: Sequence[str] = ("*",), caller: str = "test-key"
    ) -> str:
        """Return a token such as the gateway makes it."""
        keys = Keys.load(self.keys_dir, "gateway")
        return issue_token(
            keys,
            Principal(caller, caller, frozenset(scopes)),
            audience=service,
            now=self.clock.now(),
        )

    async def publish(self, *events: Event, copies: int = 1) -> list[Envelope]:
        """Publish events as their producers would; nothing is returned until the broker has them."""
        envelopes = []
        for event in events:
            source = event.type.split(".", 1)[0]
            keys = Keys.load(self.keys_dir, source)
            for data in cut(event):
                now = self.clock.now()
                envelope = Envelope(
                    id=new_id(),
                    type=event.type,
                    source=source,
                    occurred_at=now,
                    recorded_at=now,
                    correlation_id=new_id(),
                    data=data,
                )
                envelopes.append(keys.sign(envelope))
        for _ in range(copies):
            for outcome in await self.broker.publish(envelopes):
                if outcome is not None:
                    raise outcome
        return envelopes

    def published(self, kind: type[EventT]) -> list[EventT]:
        """Return the events of a type that were published so far, each once."""
        return [kind.model_validate_json(e.data) for e in self.envelopes if e.type == kind.type]

    def items(self, kind: type[Event]) -> list[Any]:
        """Return all items of all events of a type."""
        return [item for event in self.published(kind) for item in event.items]

    async def drain(self) -> None:
        """Wait until no event, retry or due timer is left that the present time lets run."""
        await eventually(
            self._is_quiet, message="the services did not come to rest", within=_REST_SECONDS
        )

    async def _is_quiet(self) -> bool:
        # Work that commits while one service after the other is asked would be missed: the marks before and after must
        # be the same.
        before = await self._marks()
        await self._collect()
        for name, service in self.services.items():
            if await self._is_busy(name, service):
                return False
        return not await self._messages_left() and before == await self._marks()

    async def _is_busy(self, name: str, service: Service) -> bool:
        busy = await self._ask(
            name,
            """
            SELECT (SELECT count(*) FROM outbox WHERE attempts = 0)
                 + (SELECT count(*) FROM delivery
                    WHERE state = 'trying' OR (state = 'waiting' AND next_at <= $1))
                 + (SELECT count(*) FROM timer WHERE state = 'waiting' AND due_at <= $1)
            """,
            self.clock.now(),
        )
        if busy:
            service.relay.wake_here()
            service.timers.wake()
            return True
        return service.retrier.is_trying

    async def _messages_left(self) -> bool:
        """Say whether any queue holds a message: of a house with a hundred queues, in one question where one is enough."""
        queues = [PROBE] + [one.queue for each in self.services.values() for one in each.consumers]
        if isinstance(self.broker, EmbeddedBroker):
            return bool((await self.broker.work(_WAITING, queues))[0][0])
        return any(await asyncio.gather(*map(self.broker.depth, queues)))

    async def _marks(self) -> dict[str, str]:
        query = (
            "SELECT (SELECT count(*) FROM inbox) || ' ' || (SELECT last_value FROM outbox_seq_seq)"
        )
        return {name: await self._ask(name, query) for name in self.services}

    async def _ask(self, name: str, query: str, *arguments: object) -> Any:
        # One connection for all questions: to open one costs more than twenty answers.
        async with self._one_asks:
            connection = self._asking.get(name)
            if connection is not None and not connection.is_closed():
                with suppress(*CONNECTION_ERRORS):  # the test has ended it, or its server
                    return await connection.fetchval(query, *arguments)
            connection = self._asking[name] = await asyncpg.connect(self.dsns[name])
            return await connection.fetchval(query, *arguments)

    async def close(self) -> None:
        """Let go of the connections that the rig's own questions took."""
        async with self._one_asks:
            while self._asking:
                self._asking.popitem()[1].terminate()

    async def _collect(self) -> None:
        if not await self.broker.depth(PROBE):
            return
        async with self.broker.consume(PROBE) as consumer:
            async for batch in consumer.batches():
                for delivery in batch:
                    if delivery.envelope and delivery.envelope.id not in self._seen:
                        self._seen.add(delivery.envelope.id)
                        self.envelopes.append(delivery.envelope)
                await consumer.ack(batch)
                if not await self.broker.depth(PROBE):
                    break
        self.envelopes.sort(key=lambda e: e.id)

    async def parked(self, service: str | None = None) -> list[Any]:
        """Return the parked messages of a service, as rows."""
        target = self.services[service] if service else self.service
        pool = await target.database.pool()
        return list(
            await pool.fetch("SELECT * FROM delivery WHERE state = 'parked' ORDER BY first_at")
        )


@asynccontextmanager
async def open_rig(
    server: PostgresServer,
    folder: Path,
    *specs: ServiceSpec,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    start: bool = True,
    duplicate: bool = True,
    clock: FrozenClock | None = None,
    tweak: Callable[[Service], None] | None = None,
    rabbit: str = "",
) -> AsyncIterator[Rig]:
    """Open a rig for these services; `settings` gives further settings by service name.

    The broker delivers every message twice and in random order, so that a handler which is not idempotent fails. With
    the address of an empty virtual host in `rabbit`, it is RabbitMQ, and each service has a connection of its own.
    """
    keys_dir = folder / "keys"
    make_keys(keys_dir, (*SERVICES, *EXTRA_PRODUCERS))
    async with AsyncExitStack() as stack:
        own: EmbeddedBroker | RabbitBroker
        if rabbit:
            broker_url = rabbit
            own = RabbitBroker(rabbit, service=PROBE.partition(".")[0])
        else:
            broker = await stack.enter_async_context(
                server.reused("broker", build_broker, empty=EMPTY_BROKER)
            )
            broker_url = broker.app_dsn
            shuffle = random.Random(7) if duplicate else None  # noqa: S311 - the order of a test
            own = EmbeddedBroker(
                broker_url, name="rig", duplicate=duplicate, shuffle=shuffle, deadline_seconds=PATIENCE_SECONDS
            )  # fmt: skip
        await own.start()
        stack.push_async_callback(own.stop)
        rig = Rig(clock or FrozenClock(), keys_dir, folder, own)
        stack.push_async_callback(rig.close)
        await own.declare([Subscription(PROBE, tuple(sorted(REGISTRY)))])
        for spec in specs:
            dsns = await stack.enter_async_context(
                server.database(spec.name, _builder(spec), key=_fingerprint(spec.migrations))
            )
            rig.dsns[spec.name] = dsns.app_dsn
            given = spec.settings(
                environment="test",
                data_dir=folder,
                keys_dir=keys_dir,
                postgres_dsn=SecretStr(dsns.app_dsn),
                postgres_owner_dsn=SecretStr(dsns.owner_dsn),
                broker_url=SecretStr(broker_url),
                public_url="http://kantis.test",
                **{**PATIENT, "link_keys": LINK_KEYS, **(settings or {}).get(spec.name, {})},
            )
            shared = share_broker(own) if isinstance(own, EmbeddedBroker) else None
            service = Service(spec, given, clock=rig.clock, broker=shared)
            share_statements(service.database.engine.sync_engine)
            if tweak:
                tweak(service)
            rig.services[spec.name] = service
            await service.broker.start()
            await service.broker.declare(subscriptions(spec.handlers))
            stack.push_async_callback(service.stop)
        if start:
            for service in rig.services.values():
                await service.start(connect=False)
        yield rig


def _builder(spec: ServiceSpec) -> Callable[[ServiceDsns], Awaitable[None]]:
    async def build(dsns: ServiceDsns) -> None:
        await migrate(dsns.owner_dsn, spec.migrations)

    return build


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.read_bytes())
    digest.update(Path(tables.__file__).read_bytes())
    return digest.hexdigest()


class OpenRig(Protocol):
    """Opens a rig that lives as long as the test."""

    async def __call__(self, *specs: ServiceSpec, **options: Any) -> Rig:
        """Return a rig with these services; the options are those of `open_rig`."""
        ...


@pytest.fixture
async def rig_for(postgres_server: PostgresServer, tmp_path: Path) -> AsyncIterator[OpenRig]:
    """Provide what opens rigs; they close at the end of the test."""
    async with AsyncExitStack() as stack:

        async def make(*specs: ServiceSpec, **options: Any) -> Rig:
            return await stack.enter_async_context(
                open_rig(postgres_server, tmp_path, *specs, **options)
            )

        yield make
