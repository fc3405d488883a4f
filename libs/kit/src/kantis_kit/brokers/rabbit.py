"""The broker port on RabbitMQ 3.10 and 4.x: the one module that knows aio-pika.

One durable topic exchange, the event's type as routing key, a quorum queue per consumer. Plain connections, kept by
`Kept`: aio-pika's robust ones let a publish hang until they are back. Publishing and consuming have one each, because
an alarm blocks a connection that publishes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import aio_pika
import structlog
from aio_pika.connection import make_url
from aio_pika.exceptions import (
    ChannelClosed,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    PublishError,
)

from kantis_contracts.base import Envelope
from kantis_kit.brokers.port import Subscription
from kantis_kit.brokers.rabbit_consumer import PREFIX, RabbitConsumer
from kantis_kit.brokers.rabbit_topology import (
    DELIVERY_LIMIT,
    Names,
    plan,
    read_records,
    write_record,
)
from kantis_kit.brokers.upkeep import Kept, describe, within
from kantis_kit.brokers.wire import CONTENT_TYPE, to_attributes
from kantis_kit.errors import BrokerError, PublishFailed, Unroutable

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel

log = structlog.get_logger("kantis.broker")
# aiormq reports each failed attempt and each lost connection with a traceback; `Kept` says it once, in a line.
logging.getLogger("aiormq").setLevel(logging.CRITICAL)

PUBLISH_DEADLINE_SECONDS = 5.0
CONNECT_SECONDS = 5.0
DECLARE_SECONDS = 30.0
# A single node writes the name of a new quorum queue to disk half a second late: killed before that, it comes back
# with the queue empty, confirmed messages and all (measured on 3.10.8 and 4.0.5; safe after 1 s). So a new
# queue is bound, and can be reached, only after this.
SETTLE_SECONDS = 2.0
HEARTBEAT_SECONDS = 10
PERSISTENT = aio_pika.DeliveryMode.PERSISTENT
IN_FLIGHT = 1_000  # measured: 500 at once publish seven times as fast as one by one

# aiormq ends what waits for a closed connection with whatever closed it, and with a bare Exception when nothing did.
LOST = (Exception,)


class _Link:
    """One kept connection, with a publishing channel when `confirms` says so."""

    def __init__(self, url: str, name: str, exchange: str = "") -> None:
        self.kept = Kept(name, self._hold)
        self.connection: aio_pika.abc.AbstractConnection | None = None
        self.channel: AbstractChannel | None = None
        self._url, self._name, self._exchange = url, name, exchange
        self._dropped = asyncio.Event()

    @property
    def is_blocked(self) -> bool:
        """Whether the server has told this connection to wait (a memory or disk alarm)."""
        transport = self.connection.transport if self.connection is not None else None
        if transport is None:
            return False
        # aiormq tells it in one way only: `ready()` waits while the connection is blocked. So take one step of it.
        waiting = transport.connection.ready()
        try:
            waiting.send(None)
        except StopIteration:
            return False
        waiting.close()
        return True

    async def open_channel(self) -> "AbstractChannel":
        """Open a channel for a consumer."""
        if self.connection is None:
            message = "the broker is away"
            raise BrokerError(message)
        channel = await self.connection.channel(publisher_confirms=False)
        return await channel.get_underlay_channel()

    def drop(self) -> None:
        """Give up a connection that does not answer; it is made anew."""
        self._dropped.set()

    async def _hold(self, kept: Kept) -> None:
        connection = await connect(self._url, self._name)
        try:
            closing = [_closing(connection)]
            if self._exchange:
                self.channel = await _publishing_channel(connection, self._exchange)
                closing.append(self.channel.closing)
            # An event of this connection's own: an earlier one that ends late must not drop it.
            self._dropped = dropped = asyncio.Event()
            for end in closing:
                end.add_done_callback(lambda _: dropped.set())
            self.connection = connection
            kept.ready()
            await dropped.wait()
        finally:
            self.connection = self.channel = None
            with suppress(*LOST):
                await within(1, connection.close())


class RabbitBroker:
    r"""The `Broker` port on RabbitMQ, as one service's user.

    Its rights: configure on `^<service>\.` (its queues, their dead queues, its record); write and read on these and on
    the two exchanges. The exchanges are made when they are missing and the user may.
    """

    def __init__(
        self,
        url: str,
        *,
        service: str,
        exchange: str = "kantis.events",
        delivery_limit: int = DELIVERY_LIMIT,
        deadline_seconds: float = PUBLISH_DEADLINE_SECONDS,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._url, self._exchange, self._delivery_limit = url, exchange, delivery_limit
        self._names = Names(service, exchange)
        self._deadline_seconds, self._settle_seconds = deadline_seconds, settle_seconds
        self._publishing = _Link(url, f"{service}:publishing", exchange)
        self._consuming = _Link(url, f"{service}:consuming")
        self._consumers: set[RabbitConsumer] = set()
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)

    @property
    def state(self) -> str:
        """Return `up`, `blocked` (an alarm: the server takes no events) or `down`."""
        if not self._publishing.kept.is_up:
            return "down"
        return "blocked" if self._publishing.is_blocked else "up"

    async def start(self) -> None:
        """Connect for publishing and for consuming.

        Raises:
            BrokerError: the server is away or refuses us.
        """
        try:
            for link in (self._publishing, self._consuming):
                await link.kept.start(2 * CONNECT_SECONDS)
        except BrokerError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Disconnect; what is in flight is confirmed or reported as failed before."""
        for link in (self._publishing, self._consuming):
            await link.kept.stop()

    async def declare(self, subscriptions: Sequence[Subscription]) -> None:
        """Make the queues and bind them to exactly these types.

        Raises:
            BrokerError: the server is away, or a queue exists with other arguments.
        """
        try:
            await within(DECLARE_SECONDS, self._declare(subscriptions))
        except LOST as error:
            if isinstance(error, BrokerError):
                raise
            message = f"the queues could not be declared: {describe(error)}"
            raise BrokerError(message) from error

    async def publish(self, envelopes: Sequence[Envelope]) -> list[BrokerError | None]:
        """Publish with confirms, up to a thousand in flight."""
        channel, state = self._publishing.channel, self.state
        if channel is None or state != "up":
            return [PublishFailed(f"RabbitMQ is {state}")] * len(envelopes)
        outcomes: list[BrokerError | None] = [
            PublishFailed("RabbitMQ did not confirm in time")
        ] * len(envelopes)

        async def one(position: int, envelope: Envelope) -> None:
            async with self._in_flight:
                outcomes[position] = await self._publish_one(channel, envelope)

        async def every_one() -> None:
            await asyncio.gather(
                *(one(position, envelope) for position, envelope in enumerate(envelopes))
            )

        try:
            await within(self._deadline_seconds, every_one())
        except TimeoutError:
            if not self._publishing.is_blocked:
                self._publishing.drop()
        return list(outcomes)

    @asynccontextmanager
    async def consume(self, queue: str, *, prefetch: int = 1_000) -> AsyncIterator[RabbitConsumer]:
        """Open a consumer; leaving gives back what was not acked."""
        consumer = RabbitConsumer(
            self._consuming.kept, self._consuming.open_channel, queue, prefetch, LOST
        )
        self._consumers.add(consumer)
        try:
            yield consumer
        finally:
            self._consumers.discard(consumer)
            with suppress(*LOST):
                await within(CONNECT_SECONDS, consumer.close())

    async def depth(self, queue: str) -> int:
        """Return how many messages wait, and how many consumers of this object hold.

        AMQP does not tell what the consumers of other processes hold.

        Raises:
            BrokerError: the server is away, or there is no such queue.
        """
        try:
            waiting = await within(PUBLISH_DEADLINE_SECONDS, self._waiting(queue))
        except LOST as error:
            message = f"the depth of {queue} cannot be read: {describe(error)}"
            raise BrokerError(message) from error
        return waiting + sum(each.unsettled for each in self._consumers if each.queue == queue)

    async def _publish_one(
        self, channel: "AbstractChannel", envelope: Envelope
    ) -> BrokerError | None:
        headers: aio_pika.abc.HeadersType = {
            PREFIX + name: value for name, value in to_attributes(envelope).items()
        }
        # No message_id: aiormq finds a returned message by it, and takes one of two in flight for the other. It makes
        # a unique one itself; the event's id is in the headers.
        message = aio_pika.Message(
            b"", headers=headers, content_type=CONTENT_TYPE, delivery_mode=PERSISTENT
        )
        try:
            await channel.basic_publish(  # type: ignore[call-arg]  # the interface lacks `wait`
                envelope.data,
                exchange=self._exchange,
                routing_key=envelope.type,
                properties=message.properties,
                mandatory=True,
                wait=False,  # for the socket: the confirm comes later
            )
        except PublishError:
            return Unroutable(f"no queue is bound for {envelope.type}")
        except LOST as error:
            return PublishFailed(f"RabbitMQ did not take it: {describe(error)}")
        return None

    async def _waiting(self, queue: str) -> int:
        connection = self._consuming.connection
        if connection is None:
            message = "the broker is away"
            raise BrokerError(message)
        async with connection.channel(publisher_confirms=False) as channel:
            found = await channel.declare_queue(queue, passive=True)
            return found.declaration_result.message_count or 0

    async def _declare(self, subscriptions: Sequence[Subscription]) -> None:
        # A connection of its own: it publishes, and an alarm must not block the consumers.
        connection = await connect(self._url, f"{self._names.service}:declaring")
        try:
            await _ensure_exchange(connection, self._exchange)
            await _ensure_exchange(connection, self._names.aside)
            channel = await connection.channel(on_return_raises=True)
            plain = self._names.plain_arguments(self._delivery_limit)
            aside = [self._names.record, *(self._names.dead(each.queue) for each in subscriptions)]
            for name in aside:
                queue = await _queue(channel, name, plain)
                await queue.bind(self._names.aside, name)
            are_new = [not await _exists(connection, each.queue) for each in subscriptions]
            for each in subscriptions:
                arguments = self._names.queue_arguments(each.queue, self._delivery_limit)
                await _queue(channel, each.queue, arguments)
            if any(are_new):
                await asyncio.sleep(self._settle_seconds)
            await self._bind(connection, channel, subscriptions)
        finally:
            await within(CONNECT_SECONDS, connection.close())

    async def _bind(
        self,
        connection: aio_pika.abc.AbstractConnection,
        channel: aio_pika.abc.AbstractChannel,
        subscriptions: Sequence[Subscription],
    ) -> None:
        """Unbind, write the record, bind: wherever this stops, the record names at least what is bound."""
        keeper = await channel.get_queue(self._names.record, ensure=False)
        records = []
        while (found := await keeper.get(fail=False)) is not None:
            records.append(found)
        change = plan(read_records(each.body for each in records), subscriptions)
        record = dict(change.record)
        for name, type_ in change.unbind:
            if not await self._unbind(connection, name, type_):
                record[name] |= {type_}  # to be tried again
        body = write_record(record)
        if [each.body for each in records] != [body]:
            aside = await channel.get_exchange(self._names.aside, ensure=False)
            message = aio_pika.Message(body, delivery_mode=PERSISTENT)
            await aside.publish(message, self._names.record)
            for each in records:
                await each.ack()
        for name, type_ in change.bind:
            queue = await channel.get_queue(name, ensure=False)
            await queue.bind(self._exchange, type_)

    async def _unbind(
        self, connection: aio_pika.abc.AbstractConnection, name: str, type_: str
    ) -> bool:
        """Remove a binding. Its right may be gone with it from the deployment: that must not stop the service."""
        try:
            async with connection.channel() as channel:
                queue = await channel.get_queue(name, ensure=False)
                await queue.unbind(self._exchange, type_)
        except ChannelClosed as error:
            if "ACCESS_REFUSED" not in str(error):  # aio-pika does not pass on a class for it
                raise
            log.warning(
                "broker.binding_stays", queue=name, type=type_, reason="no right to unbind it"
            )
            return False
        return True


async def connect(url: str, name: str) -> aio_pika.abc.AbstractConnection:
    """Open a plain connection with our heartbeat."""
    connection = aio_pika.Connection(
        make_url(url, heartbeat=HEARTBEAT_SECONDS),
        client_properties={"connection_name": f"kantis {name}"},
    )
    try:
        await connection.connect(timeout=CONNECT_SECONDS)
    except BaseException:
        await connection.close()  # or its finalizer starts a task, perhaps on a loop that ends
        raise
    return connection


def _closing(connection: aio_pika.abc.AbstractConnection) -> "asyncio.Future[object]":
    assert connection.transport is not None  # noqa: S101 - it has just been opened
    return connection.transport.connection.closing


async def _publishing_channel(
    connection: aio_pika.abc.AbstractConnection, exchange: str
) -> "AbstractChannel":
    await _ensure_exchange(connection, exchange)
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    return await channel.get_underlay_channel()


async def _ensure_exchange(connection: aio_pika.abc.AbstractConnection, name: str) -> None:
    """Make an exchange unless it is there: a user without the right to make it can use it."""
    try:
        async with connection.channel() as channel:
            await channel.declare_exchange(name, passive=True)
    except ChannelNotFoundEntity:
        async with connection.channel() as channel:
            await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)


async def _exists(connection: aio_pika.abc.AbstractConnection, queue: str) -> bool:
    try:
        async with connection.channel() as channel:
            await channel.declare_queue(queue, passive=True)
    except ChannelNotFoundEntity:
        return False
    return True


async def _queue(
    channel: aio_pika.abc.AbstractChannel, name: str, arguments: dict[str, str | int]
) -> aio_pika.abc.AbstractQueue:
    try:
        return await channel.declare_queue(name, durable=True, arguments=dict(arguments))
    except ChannelPreconditionFailed as error:
        message = (
            f"the queue {name} exists with other arguments ({error}). Let it run empty and delete it, "
            f"`rabbitmqctl delete_queue {name}`, or start with the arguments that it has."
        )
        raise BrokerError(message) from error
