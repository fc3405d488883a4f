"""An event from a commit in one service to its effect's commit in another: latency and throughput, on both brokers.

Latency: one thing at a time is made; the time from the return of its commit to the NOTIFY that the effect's transaction
sends at its commit. Throughput: events staged beforehand (one item each, then 1,000 items each); first the relay
alone until the broker has confirmed all, then the consumer alone until the last effect is committed, then both
together. Beside them raw aio-pika publishing, consuming, and doing both with the same number of messages in the same
run.

    python benchmarks/event_hop.py [EVENTS] [ROUNDS]
"""

import asyncio
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import uvloop
from broker_publish import Raw
from pydantic import SecretStr

from kantis_kit.brokers.embedded import EmbeddedBroker, create_schema
from kantis_kit.brokers.port import Broker
from kantis_kit.brokers.rabbit import RabbitBroker
from kantis_kit.consumer import subscriptions
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.settings import ServiceSettings
from kantis_kit.signing import make_keys
from kantis_kit.testing.probe import SPEC, Made, ThingMadeV1
from kantis_kit.testing.rabbit import obtain
from kantis_kit.tx import write

HOPS = 500
ITEMS = 1_000
CHANNEL = "bench_effect"
RELAY, CONSUMER, BOTH = "relay", "consumer", "outbox → effect"


class Bench:
    """The probe service on one broker."""

    def __init__(
        self, name: str, service: Service, listener: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        self.name = name
        self.service = service
        self.arrived = asyncio.Event()
        self.listener = listener

    async def listen(self) -> None:
        """Hear of every commit of an effect."""
        await self.listener.execute(
            f"CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN PERFORM pg_notify('{CHANNEL}', ''); RETURN NULL; END $$"
        )
        await self.listener.execute("DROP TRIGGER IF EXISTS tell ON effect")
        await self.listener.execute(
            "CREATE TRIGGER tell AFTER INSERT ON effect FOR EACH STATEMENT EXECUTE FUNCTION tell()"
        )
        await self.listener.add_listener(CHANNEL, lambda *_: self.arrived.set())

    async def make(self, *sizes: int) -> None:
        """Stage events of these sizes in one transaction."""
        async with write(self.service.scope) as tx:
            for size in sizes:
                tx.stage(
                    ThingMadeV1(items=tuple(Made(id=new_id(), name="thing") for _ in range(size)))
                )

    async def hops(self, count: int) -> list[float]:
        """Return the milliseconds of so many single hops."""
        taken = []
        for _ in range(count):
            self.arrived.clear()
            await self.make(1)
            started = perf_counter()
            await self.arrived.wait()
            taken.append((perf_counter() - started) * 1000)
        return taken

    async def count(self) -> int:
        """Return how many effects are committed."""
        found: int = await self.listener.fetchval("SELECT count(*) FROM effect")
        return found

    async def wait_for(self, effects: int) -> None:
        """Wait until so many effects are committed."""
        while True:
            self.arrived.clear()
            if await self.count() >= effects:
                return
            await self.arrived.wait()

    async def together(self, events: int, items: int) -> float:
        """Return events per second from outbox to committed effect, relay and consumer at work together."""
        wanted = await self.count() + events * items
        async with AsyncExitStack() as stack:
            await self.work(stack, self.service.relay.run(), *self.consuming())
            await self.make(*[items] * events)
            started = perf_counter()
            await self.wait_for(wanted)
            return events / (perf_counter() - started)

    async def apart(self, events: int, items: int) -> tuple[float, float]:
        """Return events per second of the relay alone, then of the consumer alone."""
        wanted = await self.count() + events * items
        await self.make(*[items] * events)
        started = perf_counter()
        while await self.service.relay.step():
            pass
        relayed = events / (perf_counter() - started)
        async with AsyncExitStack() as stack:
            started = perf_counter()
            await self.work(stack, *self.consuming())
            await self.wait_for(wanted)
            return relayed, events / (perf_counter() - started)

    def consuming(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield the work of every consumer."""
        return (consumer.run() for consumer in self.service.consumers)

    @staticmethod
    async def work(stack: AsyncExitStack, *loops: Coroutine[Any, Any, None]) -> None:
        """Run loops until the stack ends."""
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for loop in loops:
            stack.callback(group.create_task(loop).cancel)


async def open_bench(
    stack: AsyncExitStack, name: str, broker: Broker, postgres: EmbeddedPostgres, folder: Path
) -> Bench:
    """Start the probe service on a database of its own."""
    dsns = await provision(postgres.superuser_dsn(), name, passwords=postgres.secrets)
    await migrate(dsns.owner_dsn, SPEC.migrations)
    settings = ServiceSettings(
        keys_dir=folder / "keys",
        postgres_dsn=SecretStr(dsns.app_dsn),
        broker_url=SecretStr("postgresql://given"),
    )
    service = Service(SPEC, settings, broker=broker)
    await broker.start()
    await broker.declare(subscriptions(SPEC.handlers))
    stack.push_async_callback(service.stop)
    listener = await asyncpg.connect(dsns.owner_dsn)
    stack.push_async_callback(listener.close)
    bench = Bench(name, service, listener)
    await bench.listen()
    return bench


def quantiles(values: list[float]) -> tuple[float, float]:
    """Return p50 and p99."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99) - 1]


async def main(events: int, rounds: int) -> None:
    """Run both brokers and the raw client in turn."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        make_keys(folder / "keys", ("probe", "gateway"))
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
        server = stack.enter_context(closing(obtain()))
        broker_dsns = await provision(
            postgres.superuser_dsn(), "broker", passwords=postgres.secrets
        )
        owner = await asyncpg.connect(broker_dsns.owner_dsn)
        await create_schema(owner)
        await owner.close()
        benches = [
            await open_bench(
                stack, "embedded", EmbeddedBroker(broker_dsns.app_dsn), postgres, folder
            ),
            await open_bench(
                stack, "rabbit", RabbitBroker(server.url, service="probe"), postgres, folder
            ),
        ]
        raw = RawBench(server.url)
        await raw.start(stack)
        for bench in benches:
            async with AsyncExitStack() as at_work:
                await bench.work(at_work, bench.service.relay.run(), *bench.consuming())
                await bench.hops(50)  # warm
                p50, p99 = quantiles(await bench.hops(HOPS))
            print(f"hop {bench.name:9} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms")
        rates: dict[tuple[str, str], list[float]] = defaultdict(list)
        both_sides: list[Bench | RawBench] = [raw, *benches]
        for _ in range(rounds):
            for side in both_sides:
                for what, rate in (await measure(side, events)).items():
                    rates[side.name, what].append(rate)
        middle = {key: statistics.median(values) for key, values in rates.items()}
        for (name, what), rate in middle.items():
            limit = middle["raw", what.removesuffix(", batches")]
            print(f"{name:9} {what:30} {rate:9.0f}/s   {rate / limit:6.2f} of raw")


async def measure(bench: "Bench | RawBench", events: int) -> dict[str, float]:
    """Return the rates of one round: messages a second, or items a second of batches."""
    relayed, consumed = await bench.apart(events, 1)
    found = {RELAY: relayed, CONSUMER: consumed, BOTH: await bench.together(events, 1)}
    if isinstance(bench, Bench):
        relayed, consumed = await bench.apart(20, ITEMS)
        both = await bench.together(20, ITEMS)
        for what, rate in ((RELAY, relayed), (CONSUMER, consumed), (BOTH, both)):
            found[f"{what}, batches"] = rate * ITEMS
    return found


class RawBench(Raw):
    """Raw aio-pika with the same number of messages."""

    name = "raw"

    async def apart(self, events: int, _items: int) -> tuple[float, float]:
        """Return messages per second published with confirms, then consumed."""
        started = perf_counter()
        await self.publish(events)
        published = events / (perf_counter() - started)
        started = perf_counter()
        await self.consume(events)
        return published, events / (perf_counter() - started)

    async def together(self, events: int, _items: int) -> float:
        """Return messages per second, publishing and consuming at once."""
        started = perf_counter()
        await asyncio.gather(self.publish(events), self.consume(events))
        return events / (perf_counter() - started)


if __name__ == "__main__":
    arguments = [int(value) for value in sys.argv[1:]]
    uvloop.run(main(*(arguments + [5_000, 3][len(arguments) :])))
