"""An event from a commit in one service to its effect's commit in another: latency and throughput, on both brokers.

Latency: one thing at a time is made; the time from the return of its commit to the NOTIFY that the effect's transaction
sends at its commit. Throughput: events staged beforehand (one item each, then 1,000 items each), relay and consumer
running together, until the last effect is committed; beside them raw aio-pika publishing and consuming the same number
of messages in the same run.

    python benchmarks/event_hop.py [EVENTS] [ROUNDS]
"""

import asyncio
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack, closing
from pathlib import Path
from time import perf_counter

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

    async def rate(self, events: int, items: int) -> float:
        """Return events per second from outbox to committed effect."""
        before = await self.listener.fetchval("SELECT count(*) FROM effect")
        async with write(self.service.scope) as tx:
            for _ in range(events):
                tx.stage(
                    ThingMadeV1(items=tuple(Made(id=new_id(), name="thing") for _ in range(items)))
                )
            started = perf_counter()
        while True:
            self.arrived.clear()
            done = await self.listener.fetchval("SELECT count(*) FROM effect") - before
            if done >= events * items:
                return events / (perf_counter() - started)
            await self.arrived.wait()


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
    await service.start(connect=False)
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
        raw = Raw(server.url)
        await raw.start(stack)
        for bench in benches:
            await bench.hops(50)  # warm
        for bench in benches:
            p50, p99 = quantiles(await bench.hops(HOPS))
            print(f"hop {bench.name:9} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms")
        single: dict[str, list[float]] = {"raw": [], "embedded": [], "rabbit": []}
        batched: dict[str, list[float]] = {"embedded": [], "rabbit": []}
        for _ in range(rounds):
            started = perf_counter()
            await asyncio.gather(raw.publish(events), raw.consume(events))
            single["raw"].append(events / (perf_counter() - started))
            for bench in benches:
                single[bench.name].append(await bench.rate(events, 1))
                batched[bench.name].append(await bench.rate(20, ITEMS) * ITEMS)
        limit = statistics.median(single["raw"])
        print(f"raw aio-pika, publish and consume     {limit:9.0f} messages/s")
        for name in ("embedded", "rabbit"):
            rate = statistics.median(single[name])
            print(
                f"{name:9} outbox → effect, single      {rate:9.0f} events/s   {rate / limit:5.2f} of raw"
            )
            rate = statistics.median(batched[name])
            print(
                f"{name:9} outbox → effect, batches     {rate:9.0f} items/s    {rate / limit:5.2f} of raw"
            )


if __name__ == "__main__":
    arguments = [int(value) for value in sys.argv[1:]]
    uvloop.run(main(*(arguments + [5_000, 3][len(arguments) :])))
