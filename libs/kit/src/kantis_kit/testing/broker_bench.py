"""What the suite of broker promises stands on: a bench, events to send, ways to take them, consumers to kill."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from kantis_contracts.base import Envelope
from kantis_kit.brokers.port import Broker, Consumer, Delivery
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

HAPPENED = "probe.thing.happened.v1"
LEFT = "probe.thing.left.v1"
UNHEARD = "probe.thing.unheard_sent.v1"
GUARD_SECONDS = 60
"""How long a broker may take before a test calls it hung; not a measure."""


async def until(check: Callable[[], bool | Awaitable[bool]], message: str) -> None:
    """Wait until the check holds."""
    await eventually(check, message=message, within=GUARD_SECONDS)


class BrokerBench(Protocol):
    """One test's broker."""

    url: str
    service: str
    exchange: str

    def broker(self, *, deadline_seconds: float = GUARD_SECONDS) -> Broker:
        """Return a new connection, not started."""
        ...

    async def put_rubbish(self, queue: str) -> bytes:
        """Lay a message that is no event into a queue, and return its bytes."""
        ...

    async def take_away(self) -> None:
        """Make the broker unreachable and end its connections."""
        ...

    async def bring_back(self) -> None:
        """Undo `take_away`."""
        ...

    def hang(self) -> AbstractAsyncContextManager[None]:
        """Let the broker take what is sent and answer nothing, inside the block."""
        ...


def envelope(type_: str = HAPPENED, data: bytes = b"{}") -> Envelope:
    """Return an event of its own."""
    moment = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
    return Envelope(
        id=new_id(),
        type=type_,
        source="probe",
        subject="Åse Ørbæk / Öberg",
        occurred_at=moment,
        recorded_at=moment + timedelta(microseconds=1),
        correlation_id=new_id(),
        causation_id=new_id(),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        signature="c2lnbmF0dXJl",
        data=data,
    )


def ids(deliveries: Sequence[Delivery]) -> list[UUID]:
    """Return the ids of the events in these deliveries."""
    return [each.envelope.id for each in deliveries if each.envelope is not None]


async def take(consumer: Consumer, count: int) -> list[Delivery]:
    """Return the next deliveries, at least `count`, without acking them."""
    taken: list[Delivery] = []
    async with asyncio.timeout(GUARD_SECONDS):
        async for batch in consumer.batches():
            taken += batch
            if len(taken) >= count:
                break
    return taken


async def empty(broker: Broker, queue: str, *, at_least: int = 0) -> list[Delivery]:
    """Consume and ack until nothing waits and nothing is held by anybody.

    `at_least` so many must come: what a consumer held when it ended is nowhere to be seen for a moment.
    """
    taken: list[Delivery] = []

    async def read() -> None:
        async with broker.consume(queue) as consumer:
            async for batch in consumer.batches():
                taken.extend(batch)
                await consumer.ack(batch)

    async def is_empty() -> bool:
        return len(taken) >= at_least and await broker.depth(queue) == 0

    reader = asyncio.ensure_future(read())
    try:
        await until(is_empty, f"{queue} is empty")
    finally:
        reader.cancel()
        await asyncio.wait({reader})
    return taken


class Nursery:
    """Consumers in processes of their own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def consume_and_kill(self, wanted: int) -> set[UUID]:
        """Start a consumer, kill it when it has shown `wanted` events, and return all that it has shown."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"next\n")
        pid = 0
        shown: set[UUID] = set()
        async with asyncio.timeout(GUARD_SECONDS):
            while not pid or len(shown) < wanted:
                word, _, rest = (await self._line()).partition(" ")
                if word == "pid":
                    pid = int(rest)
                else:
                    shown.add(UUID(word))
        os.kill(pid, signal.SIGKILL)  # our own grandchild
        return shown

    async def finish(self) -> set[UUID]:
        """End the process, and return what its last consumers showed and nobody has read."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        async with asyncio.timeout(GUARD_SECONDS):
            lines = (await self._process.stdout.read()).decode().split("\n")
            await self._process.wait()
        return {UUID(line) for line in lines if line and not line.startswith("pid ")}

    async def _line(self) -> str:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the consuming process ended by itself"
        return line.decode().strip()


@asynccontextmanager
async def nursery(bench: BrokerBench, queue: str) -> AsyncIterator[Nursery]:
    """Provide a process that forks consumers of this queue."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "kantis_kit.testing.broker_child",
        bench.url,
        bench.service,
        bench.exchange,
        queue,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Nursery(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
