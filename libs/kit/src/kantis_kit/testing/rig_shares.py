"""What the rigs of a process share: the broker's database, its connections, and statements that are compiled.

Each test has services of its own; to make these things anew for each would cost more than most tests do.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg
from sqlalchemy import Dialect, Engine
from sqlalchemy.util import LRUCache

from kantis_contracts.base import Envelope
from kantis_kit.brokers.embedded import EmbeddedBroker, create_schema
from kantis_kit.brokers.embedded_consumer import EmbeddedConsumer
from kantis_kit.brokers.port import Broker, Subscription
from kantis_kit.db.provision import ServiceDsns
from kantis_kit.errors import BrokerError

EMPTY_BROKER = """
DELETE FROM message; DELETE FROM binding; DELETE FROM consumer;
SELECT setval(pg_get_serial_sequence('message', 'id'), 1, false), setval('consumer_owner', 1, false);
"""


_statements: LRUCache[Any, Any] = LRUCache(5_000)
_dialects: list[Dialect] = []


class _Shared:
    """The rig's broker as each of its services sees it: they come and go, its connections stay.

    A broker of its own for each would open five connections more, of which nothing is proved here: the promises of the
    port are proved with brokers of their own.
    """

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker
        self._started = False

    @property
    def state(self) -> str:
        return self._broker.state if self._started else "down"

    async def start(self) -> None:
        self._started = True

    async def stop(self) -> None:
        self._started = False

    async def declare(self, subscriptions: Sequence[Subscription]) -> None:
        await self._broker.declare(subscriptions)

    async def publish(self, envelopes: Sequence[Envelope]) -> list[BrokerError | None]:
        return await self._broker.publish(envelopes)

    def consume(
        self, queue: str, *, prefetch: int = 1_000
    ) -> AbstractAsyncContextManager[EmbeddedConsumer]:
        return self._broker.consume(queue, prefetch=prefetch)

    async def depth(self, queue: str) -> int:
        return await self._broker.depth(queue)


def share_broker(broker: EmbeddedBroker) -> Broker:
    """Return the rig's broker as one of its services sees it."""
    return _Shared(broker)


def share_statements(engine: Engine) -> None:
    """Give an engine the statements that the engines of earlier tests have compiled, as one of a long life has them.

    They belong to a dialect; the first that has met the server serves all, because it is the same server.
    """
    if not _dialects or _dialects[0].server_version_info is None:
        _dialects[:] = [engine.dialect]
    engine.dialect = _dialects[0]
    engine.update_execution_options(compiled_cache=_statements)


async def build_broker(dsns: ServiceDsns) -> None:
    """Make the tables of the embedded broker."""
    connection = await asyncpg.connect(dsns.owner_dsn)
    try:
        await create_schema(connection)
    finally:
        await connection.close()
