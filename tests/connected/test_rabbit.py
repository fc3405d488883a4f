"""RabbitMQ keeps the port's promises; what only RabbitMQ can suffer is here too."""

import asyncio
from contextlib import asynccontextmanager, suppress

import aio_pika
import pytest
from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from kantis_kit.brokers.port import Subscription
from kantis_kit.brokers.rabbit import SETTLE_SECONDS, RabbitBroker
from kantis_kit.brokers.rabbit_topology import Names
from kantis_kit.errors import BrokerError, PublishFailed
from kantis_kit.ids import new_id
from kantis_kit.testing.broker_bench import (
    GUARD_SECONDS,
    HAPPENED,
    LEFT,
    UNHEARD,
    empty,
    envelope,
    ids,
    take,
    until,
)
from kantis_kit.testing.broker_promises import BrokerPromises
from kantis_kit.testing.rabbit_server import RabbitServer

pytestmark = pytest.mark.rabbit


class RabbitBench:
    def __init__(self, server: RabbitServer) -> None:
        self.server, self.url = server, server.url
        self.service = f"probe{new_id().hex}"
        self.exchange = f"{self.service}.events"
        self.names = Names(self.service, self.exchange)

    def broker(self, **options) -> RabbitBroker:
        return RabbitBroker(
            self.url,
            service=self.service,
            exchange=self.exchange,
            **{"deadline_seconds": GUARD_SECONDS, "settle_seconds": 0, **options},
        )

    async def put_rubbish(self, queue: str) -> bytes:
        raw = b"\xff\x00 no event"
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            await channel.default_exchange.publish(aio_pika.Message(raw), queue)
        return raw

    async def take_away(self) -> None:
        await asyncio.to_thread(self.server.stop_app)

    async def bring_back(self) -> None:
        await asyncio.to_thread(self.server.start_app)

    @asynccontextmanager
    async def hang(self):
        self.server.freeze()
        try:
            yield
        finally:
            self.server.thaw()

    async def clear(self) -> None:
        queues = [f"{self.service}.{name}" for name in ("first", "second")]
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            for queue in (*queues, *map(self.names.dead, queues), self.names.record):
                await channel.queue_delete(queue)
            for exchange in (self.exchange, self.names.aside):
                await channel.exchange_delete(exchange)


@pytest.fixture
async def bench(rabbit_to_break: RabbitServer):
    bench = RabbitBench(rabbit_to_break)
    yield bench
    await bench.clear()


@pytest.fixture
async def raw(bench):
    """A channel without our adapter."""
    async with await aio_pika.connect(bench.url) as connection:
        yield await connection.channel()


class TestRabbit(BrokerPromises):
    async def test_confirmed_events_outlive_a_killed_server(self, bench, queue):
        broker = bench.broker(settle_seconds=SETTLE_SECONDS)  # the queue is as young as can be
        await broker.start()
        await broker.declare([Subscription(queue, (HAPPENED,))])
        sent = [envelope() for _ in range(200)]
        confirmed = [
            event
            for event, outcome in zip(sent, await broker.publish(sent), strict=True)
            if outcome is None
        ]

        await asyncio.to_thread(bench.server.kill)
        await asyncio.to_thread(bench.server.start)
        await until(lambda: broker.state == "up", "it is connected again")

        async def can_be_read() -> bool:
            with suppress(BrokerError):  # the queue elects its leader first
                return await broker.depth(queue) >= len(confirmed)
            return False

        await until(can_be_read, "the queue is back")
        assert 200 == len(confirmed)
        assert {each.id for each in confirmed} == set(ids(await empty(broker, queue)))
        await broker.stop()

    async def test_an_alarm_blocks_publishing_and_not_consuming(self, bench, queue):
        broker = bench.broker(deadline_seconds=1)
        await broker.start()
        await broker.declare([Subscription(queue, (HAPPENED,))])
        stored = envelope()
        await broker.publish([stored])

        async def is_taken() -> bool:
            return await broker.publish([envelope()]) == [None]

        await asyncio.to_thread(lambda: bench.server.alarm(on=True))
        try:
            (outcome,) = await broker.publish([envelope()])
            assert isinstance(outcome, PublishFailed)
            await until(lambda: broker.state == "blocked", "it says that it is blocked")
            async with broker.consume(queue) as consumer:
                batch = await take(consumer, 1)
                await consumer.ack(batch)
        finally:
            await asyncio.to_thread(lambda: bench.server.alarm(on=False))
        await until(lambda: broker.state == "up", "it says that it is up")
        await until(is_taken, "the publish is taken")
        assert [stored.id] == ids(batch)
        await broker.stop()

    async def test_the_standard_library_of_cloudevents_reads_what_we_write(
        self, broker, queue, raw
    ):
        sent = envelope(data=b'{"items": [1]}')
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish([sent])

        message = await (await raw.get_queue(queue)).get()
        await message.ack()
        event = from_binary(
            RabbitMQMessage(message.headers, message.content_type, message.body), JSONFormat()
        )

        assert {"items": [1]} == event.get_data()
        assert {
            "specversion": "1.0",
            "id": str(sent.id),
            "type": sent.type,
            "source": "probe",
            "subject": sent.subject,
            "time": sent.occurred_at,
            "recordedtime": "2026-03-02T09:00:00.123457Z",
            "correlationid": str(sent.correlation_id),
            "causationid": str(sent.causation_id),
            "traceparent": sent.traceparent,
            "signature": sent.signature,
            "datacontenttype": "application/json",
        } == event.get_attributes()
        assert aio_pika.DeliveryMode.PERSISTENT == message.delivery_mode

    async def test_a_queue_with_other_arguments_is_a_clear_error(self, broker, queue, raw):
        await raw.declare_queue(queue, durable=True)

        with pytest.raises(BrokerError, match=f"{queue} exists with other arguments.*delete_queue"):
            await broker.declare([Subscription(queue, (HAPPENED,))])

    async def test_what_kills_every_consumer_ends_in_the_dead_queue(self, bench, queue, raw):
        broker = bench.broker(delivery_limit=2)
        await broker.start()
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await broker.publish([envelope()])
        for _ in range(3):
            async with broker.consume(queue) as consumer:
                await take(consumer, 1)  # and leave without ack, as the dead do

        dead = await raw.get_queue(bench.names.dead(queue))

        async def is_dead() -> bool:
            message = await dead.get(fail=False)
            return message is not None and message.headers["ce-type"] == HAPPENED

        await until(is_dead, "the message is in the dead queue")
        assert 0 == await broker.depth(queue)
        await broker.stop()

    async def test_a_crash_between_two_records_leaves_no_binding_behind(
        self, bench, broker, queue, raw
    ):
        await broker.declare([Subscription(queue, (HAPPENED, LEFT))])
        aside = await raw.get_exchange(bench.names.aside)
        old = f'{{"{queue}": ["{UNHEARD}", "{HAPPENED}"]}}'.encode()
        await aside.publish(aio_pika.Message(old), bench.names.record)
        await (await raw.get_queue(queue)).bind(bench.exchange, UNHEARD)

        await broker.declare([Subscription(queue, (HAPPENED,))])

        outcomes = await broker.publish([envelope(LEFT), envelope(UNHEARD), envelope()])
        assert [True, True, False] == [each is not None for each in outcomes]
        record = await raw.get_queue(bench.names.record)
        assert 1 == record.declaration_result.message_count

    async def test_a_queue_that_is_deleted_under_a_consumer_is_found_again(
        self, broker, queue, raw
    ):
        await broker.declare([Subscription(queue, (HAPPENED,))])
        sent = envelope()
        async with broker.consume(queue) as consumer:
            taking = asyncio.ensure_future(take(consumer, 1))
            await until(lambda: consumer.is_open, "it consumes")
            await raw.queue_delete(queue)
            await until(lambda: not consumer.is_open, "it notices")
            await broker.declare([Subscription(queue, (HAPPENED,))])
            await broker.publish([sent])
            batch = await taking
            await consumer.ack(batch)

        assert [sent.id] == ids(batch)

    async def test_a_missing_exchange_is_made_again(self, bench, broker, queue, raw):
        await broker.declare([Subscription(queue, (HAPPENED,))])
        await raw.exchange_delete(bench.exchange)

        (outcome,) = await broker.publish([envelope()])
        assert isinstance(outcome, PublishFailed)

        async def is_declared() -> bool:
            await broker.declare([Subscription(queue, (HAPPENED,))])
            return await broker.publish([envelope()]) == [None]

        await until(is_declared, "publishing works again")

    async def test_wrong_credentials_are_named(self, bench):
        broker = RabbitBroker(
            bench.url.replace("amqp://kantis:", "amqp://kantis:x"), service="probe"
        )

        with pytest.raises(BrokerError, match="ACCESS_REFUSED") as refusal:
            await broker.start()
        assert bench.url.split("@")[0].split(":")[-1] not in str(refusal.value)
