"""How long a mail waits: of a launch its first, one that an event asks for, and the latter beside a campaign.

The whole path of messaging-svc with its sender in a process of its own and a sink in another: events are handled as their
consumer does (what has come meanwhile together: planned, committed), the sender is woken, claims, marks, sends; the
clock stops when the sink has the whole mail. All three read the same clock of the machine. Arrivals of transactional
mail are an open loop: late ones count their waiting.

    python benchmarks/mail_latency.py [CAMPAIGN_MAILS] [PER_SECOND] [SECONDS]
"""

import asyncio
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from time import perf_counter
from typing import Any

import uvloop
from _mail_parts import LINK_KEYS, own_settings
from _sink import Counts, Sink
from mail_send import House, open_house

from kantis_contracts.contacts import ConfirmationRequest
from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.tx import write
from messaging_svc.dispatch import usecases
from messaging_svc.dispatch.mail import MailCarrier
from messaging_svc.dispatch.sender import Sender
from messaging_svc.main import SPEC
from messaging_svc.settings import MessagingSettings

LAUNCHES = 20
_RECIPIENT = re.compile(rb"RCPT TO:<([a-z]+)([0-9]+)@")


class Stopwatch(Sink):
    """The cheap sink; notes when the mails that were asked for have come whole, and the first of all since `XRST`."""

    came: dict[int, float] = {}
    first = 0.0
    named = -1

    def data_received(self, data: bytes) -> None:
        """Note what is whole, and to whom the next is."""
        before = Counts.mails
        super().data_received(data)
        if Counts.mails > before:
            now = perf_counter()
            Stopwatch.first = Stopwatch.first or now
            if self.named >= 0:
                self.came.setdefault(self.named, now)
        for found in _RECIPIENT.finditer(data):
            self.named = int(found[2]) if found[1] == b"a" else -1

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4]
        if verb == b"XCAM":
            return f"250 {json.dumps(self.came)}\r\n".encode()
        if verb == b"XFIR":
            return f"250 {Stopwatch.first}\r\n".encode()
        if verb == b"XRST":
            self.came.clear()
            Stopwatch.first = 0.0
        return super()._answer(line)


async def serve() -> None:
    """Be the sink."""
    server = await asyncio.get_running_loop().create_server(Stopwatch, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


@contextmanager
def sink() -> Iterator[int]:
    """Run the sink; provide its port."""
    with subprocess.Popen([sys.executable, __file__, "--sink"], stdout=subprocess.PIPE) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else 0)
        finally:
            process.kill()


class Readings:
    """What the sink has noted."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def ask(self, command: str) -> Any:  # noqa: ANN401 - what JSON holds
        """Return its answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)
        try:
            await reader.readline()
            writer.write(f"{command}\r\n".encode())
            answer = (await reader.readline()).decode().partition(" ")[2]
            return json.loads(answer) if command != "XRST" else None
        finally:
            writer.close()
            await writer.wait_closed()

    async def until_came(self, numbers: Sequence[int]) -> dict[int, float]:
        """Wait until these have come; return when all did."""
        while True:  # the sink has no way to tell
            came = {int(number): at for number, at in (await self.ask("XCAM")).items()}
            if came.keys() >= set(numbers):
                return came
            await asyncio.sleep(0.1)  # who looks on must not be what is measured

    async def first(self) -> float:
        """Wait for the first since it was reset; return when it came."""
        while not (at := float(await self.ask("XFIR"))):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.02)
        return at


def said(seconds: Sequence[float]) -> str:
    """Return the middle and the slow ones, in milliseconds."""
    ordered = sorted(seconds)
    late = ordered[int(len(ordered) * 0.95)]
    return f"p50 {statistics.median(ordered) * 1e3:7.1f} ms   p95 {late * 1e3:7.1f} ms   of {len(ordered)}"


class Consumer:
    """Handles the events that ask for one mail each as their consumer does."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._waiting: list[int] = []
        self._come = asyncio.Event()
        self.durable: dict[int, float] = {}

    def deliver(self, number: int) -> None:
        """Have an event handled."""
        self._waiting.append(number)
        self._come.set()

    async def run(self) -> None:
        """Handle what has come, for ever."""
        while True:
            await self._come.wait()
            self._come.clear()
            portion, self._waiting = self._waiting, []
            async with write(self._house.service.scope) as tx:
                await usecases.plan_confirmations(tx, [_request(number) for number in portion])
            self.durable |= dict.fromkeys(portion, perf_counter())


def _request(number: int) -> ConfirmationRequest:
    return ConfirmationRequest(
        request_id=new_id(), person_id=new_id(), email=f"a{number}@kunde.example", language=Language.NB,
        form_key="bench", confirm_path=f"benchmark/{number}",
    )  # fmt: skip


async def asked(
    house: House, readings: Readings, first: int, per_second: int, seconds: float
) -> tuple[list[float], list[float]]:
    """Ask at a constant rate; return how long each mail took from its event, and from its commit."""
    await readings.ask("XRST")
    consumer = Consumer(house)
    handling = asyncio.ensure_future(consumer.run())
    began = perf_counter()
    due = {first + n: began + n / per_second for n in range(int(per_second * seconds))}
    for number, at in due.items():
        await asyncio.sleep(max(0.0, at - perf_counter()))
        consumer.deliver(number)
    came = await readings.until_came(list(due))
    handling.cancel()
    return (
        [came[number] - at for number, at in due.items()],
        [max(0.0, came[number] - consumer.durable[number]) for number in due],
    )


async def launches(house: House, readings: Readings) -> list[float]:
    """Launch small campaigns one after the other; return how long their first mails took."""
    took = []
    for _ in range(LAUNCHES):
        await readings.ask("XRST")
        began = perf_counter()
        await house.launch(afresh=False)
        took.append(await readings.first() - began)
        await settled(house)
    return took


async def settled(house: House) -> None:
    """Wait until nothing is planned or under way."""
    waiting = (
        "SELECT EXISTS (SELECT FROM dispatch WHERE state IN ('planned', 'claimed', 'handed_over'))"
    )
    while await house.owner.fetchval(waiting):  # noqa: ASYNC110 - the sender has no event for it
        await asyncio.sleep(0.05)


async def send(text: str) -> None:
    """Be the sender, until the process that measures ends."""
    settings = MessagingSettings(**json.loads(text))
    service = Service(SPEC, settings)
    sender = Sender(service, settings, MailCarrier(settings))
    task = asyncio.ensure_future(sender.run())
    await asyncio.to_thread(sys.stdin.read)
    sender.stop()
    await task
    await service.stop()


async def main(mails: int, per_second: int, seconds: float) -> None:
    """Measure."""
    async with AsyncExitStack() as stack:
        port = stack.enter_context(sink())
        readings = Readings(port)
        house = await open_house(stack, 200)
        given = json.loads(own_settings(port).model_dump_json(exclude_defaults=True))
        given |= house.settings | {
            "link_keys": LINK_KEYS,
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
        }
        process = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs yet
            [sys.executable, __file__, "--send", json.dumps(given)], stdin=subprocess.PIPE
        )
        stack.callback(process.communicate)
        await asked(house, readings, 1, 20, 1)  # warm
        print(
            f"launch of 200 to its first mail       {said(await launches(house, readings))}",
            flush=True,
        )
        await house.owner.execute("VACUUM ANALYZE")
        idle, idle_sent = await asked(house, readings, 1_000_000, per_second, seconds)
        print(f"event to mail, {per_second}/s                 {said(idle)}")
        print(f"  from its commit                     {said(idle_sent)}", flush=True)
        await house.people(mails)
        await house.launch(afresh=False)
        await house.owner.execute("ANALYZE")
        busy, busy_sent = await asked(house, readings, 2_000_000, per_second, seconds)
        left = await house.owner.fetchval("SELECT count(*) FROM dispatch WHERE state = 'planned'")
        print(f"event to mail beside a campaign       {said(busy)}")
        print(f"  from its commit                     {said(busy_sent)}")
        late = [sorted(one)[int(len(one) * 0.95)] for one in (busy, idle)]
        print(
            f"p95 beside a campaign / idle {late[0] / late[1]:.2f}; the campaign had {left} mails left"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sink"]:
        uvloop.run(serve())
    elif sys.argv[1:2] == ["--send"]:
        uvloop.run(send(sys.argv[2]))
    else:
        values = [float(value) for value in sys.argv[1:]]
        one, two, three = [*values, *[50_000.0, 200.0, 5.0][len(values) :]]
        uvloop.run(main(int(one), int(two), three))
