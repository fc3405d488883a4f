"""Events a second through both brokers, against raw aio-pika in the same run, interleaved round by round.

Raw aio-pika does what it must to be as safe: persistent messages into a quorum queue, mandatory, 1,000 confirms in
flight; batches with one multiple ack. The goal is at least 60 % of it.

    python benchmarks/broker_publish.py [EVENTS_PER_ROUND] [ROUNDS]
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import aio_pika
import asyncpg
import uvloop

from kantis_contracts.base import Envelope
from kantis_kit.brokers.embedded import EmbeddedBroker, create_schema
from kantis_kit.brokers.port import Broker, Subscription
from kantis_kit.brokers.rabbit import RabbitBroker
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.ids import new_id
from kantis_kit.testing.rabbit import obtain

TYPE = "probe.thing.happened.v1"
QUEUE = "bench.queue"
RAW_QUEUE = "bench.raw"
BATCH = 1_000
BODY = b"x" * 1_024

Step = Callable[[], Awaitable[None]]


def events(count: int) -> list[Envelope]:
    """Make events of 1 KiB."""
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    return [
        Envelope(
            id=new_id(),
            type=TYPE,
            source="probe",
            occurred_at=moment,
            recorded_at=moment,
            correlation_id=new_id(),
            data=BODY,
        )
        for _ in range(count)
    ]


class Raw:
    """What a careful user of aio-pika writes by hand."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def start(self, stack: AsyncExitStack) -> None:
        """Connect and declare."""
        publishing = await stack.enter_async_context(await aio_pika.connect(self.url))
        channel = await publishing.channel(on_return_raises=True)
        self.exchange = await channel.declare_exchange("bench.raw", "topic", durable=True)
        queue = await channel.declare_queue(
            RAW_QUEUE,
            durable=True,
            arguments={"x-queue-type": "quorum", "x-overflow": "reject-publish"},
        )
        await queue.bind(self.exchange, TYPE)
        self.consuming = await stack.enter_async_context(await aio_pika.connect(self.url))

    async def publish(self, count: int) -> None:
        """Publish with 1,000 confirms in flight."""
        for start in range(0, count, BATCH):
            await asyncio.gather(
                *(
                    self.exchange.publish(
                        aio_pika.Message(
                            BODY,
                            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                            headers={"ce-id": str(new_id()), "ce-type": TYPE},
                        ),
                        TYPE,
                    )
                    for _ in range(min(BATCH, count - start))
                )
            )

    async def consume(self, count: int) -> None:
        """Consume with prefetch 1,000 and one ack for what has arrived."""
        channel = await self.consuming.channel()
        await channel.set_qos(prefetch_count=BATCH)
        queue = await channel.get_queue(RAW_QUEUE, ensure=False)
        arrived: list[aio_pika.abc.AbstractIncomingMessage] = []
        wake = asyncio.Event()

        async def on_message(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            arrived.append(message)
            wake.set()

        await queue.consume(on_message)
        while count > 0:
            await wake.wait()
            wake.clear()
            batch, arrived[:] = arrived[:], []
            if batch:
                await batch[-1].ack(multiple=True)
                count -= len(batch)
        await channel.close()


class Ours:
    """One of our adapters."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    async def start(self, stack: AsyncExitStack) -> None:
        """Connect and declare."""
        await self.broker.start()
        stack.push_async_callback(self.broker.stop)
        await self.broker.declare([Subscription(QUEUE, (TYPE,))])

    async def publish(self, count: int) -> None:
        """Publish as the relay does."""
        for start in range(0, count, BATCH):
            outcomes = await self.broker.publish(events(min(BATCH, count - start)))
            if any(outcomes):
                raise next(filter(None, outcomes))

    async def consume(self, count: int) -> None:
        """Consume and ack batch by batch."""
        async with self.broker.consume(QUEUE) as consumer:
            async for batch in consumer.batches():
                await consumer.ack(batch)
                count -= len(batch)
                if count <= 0:
                    break


async def rate(step: Awaitable[None], count: int) -> float:
    """Return events a second."""
    begin = perf_counter()
    await step
    return count / (perf_counter() - begin)


def show(title: str, rates: dict[str, list[float]]) -> None:
    """Print the medians and their ratios to raw aio-pika."""
    raw = statistics.median(rates["raw aio-pika"])
    print(f"\n{title}")
    for name, values in rates.items():
        median = statistics.median(values)
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        print(f"  {name:<15} {median:>9,.0f} events/s   {median / raw:>6.0%} of raw   ({spread})")


async def latency(ours: Ours, count: int = 300) -> tuple[float, float]:
    """Return p50 and p99, in milliseconds, from publish to the consumer, one event at a time."""
    arrived = asyncio.Event()
    taken: list[float] = []

    async def read() -> None:
        async with ours.broker.consume(QUEUE) as consumer:
            async for batch in consumer.batches():
                arrived.set()
                await consumer.ack(batch)

    reader = asyncio.ensure_future(read())
    for _ in range(count):
        (event,) = events(1)
        arrived.clear()
        begin = perf_counter()
        publishing = asyncio.ensure_future(ours.broker.publish([event]))
        await arrived.wait()
        taken.append((perf_counter() - begin) * 1_000)
        await publishing
    reader.cancel()
    await asyncio.wait({reader})
    quantiles = statistics.quantiles(taken, n=100)
    return quantiles[49], quantiles[98]


async def measure(rabbit_url: str, dsn: str, count: int, rounds: int) -> None:
    """Measure all three in turn, round by round."""
    connection = await asyncpg.connect(dsn)
    await create_schema(connection)
    await connection.close()
    peers: dict[str, Raw | Ours] = {
        "raw aio-pika": Raw(rabbit_url),
        "RabbitBroker": Ours(RabbitBroker(rabbit_url, service="bench", exchange="bench.events")),
        "EmbeddedBroker": Ours(EmbeddedBroker(dsn)),
    }
    async with AsyncExitStack() as stack:
        for peer in peers.values():
            await peer.start(stack)
        published: dict[str, list[float]] = {name: [] for name in peers}
        consumed: dict[str, list[float]] = {name: [] for name in peers}
        for number in range(rounds + 1):
            for name, peer in peers.items():
                there = await rate(peer.publish(count), count)
                back = await rate(peer.consume(count), count)
                if number:  # the first round warms up
                    published[name].append(there)
                    consumed[name].append(back)
        show(f"published, confirmed ({count} events of 1 KiB, median of {rounds})", published)
        show("consumed and acked", consumed)
        print("\npublish to consumer, one event at a time")
        for name, peer in peers.items():
            if isinstance(peer, Ours):
                middle, tail = await latency(peer)
                print(f"  {name:<15} p50 {middle:.2f} ms   p99 {tail:.2f} ms")


async def main(arguments: Sequence[str]) -> None:
    """Start both servers and measure."""
    count, rounds = (
        (int(arguments[0]) if arguments else 5_000),
        (int(arguments[1]) if len(arguments) > 1 else 5),
    )
    rabbit = obtain()
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with EmbeddedPostgres(Path(folder)) as postgres:
                print(f"RabbitMQ: {rabbit.way}; PostgreSQL: embedded, fsync on")
                await measure(rabbit.url, postgres.superuser_dsn(), count, rounds)
    finally:
        rabbit.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
