"""How long a mail waits: of a launch its first, one that an event asks for, and the latter beside a campaign.

The whole path of messaging-svc with its sender in a process of its own and a sink in another: an event is handled in its
transaction as its consumer does (planned, committed), the sender is woken, claims, marks, sends; the clock stops when the
sink has the whole mail. Arrivals of transactional mail are an open loop: late ones count their waiting.

    python benchmarks/mail_latency.py [CAMPAIGN_MAILS] [PER_SECOND] [SECONDS]
"""

import asyncio
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from time import perf_counter

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
    """The cheap sink, in this process; notes when the mails that were asked for have come whole."""

    came: dict[int, float] = {}
    first: asyncio.Event
    named = -1

    def data_received(self, data: bytes) -> None:
        """Note what is whole, and to whom the next is."""
        before = Counts.mails
        super().data_received(data)
        if Counts.mails > before:
            type(self).first.set()
            if self.named >= 0:
                self.came.setdefault(self.named, perf_counter())
        for found in _RECIPIENT.finditer(data):
            self.named = int(found[2]) if found[1] == b"a" else -1


def said(seconds: Sequence[float]) -> str:
    """Return the middle and the slow ones, in milliseconds."""
    ordered = sorted(seconds)
    late = ordered[int(len(ordered) * 0.95)]
    return f"p50 {statistics.median(ordered) * 1e3:7.1f} ms   p95 {late * 1e3:7.1f} ms   of {len(ordered)}"


async def ask(house: House, number: int) -> None:
    """Handle an event that asks for one mail, in its transaction."""
    request = ConfirmationRequest(
        request_id=new_id(), person_id=new_id(), email=f"a{number}@kunde.example", language=Language.NB,
        form_key="bench", confirm_path=f"benchmark/{number}",
    )  # fmt: skip
    async with write(house.service.scope) as tx:
        await usecases.plan_confirmations(tx, [request])


async def asked(
    house: House, first: int, per_second: int, seconds: float
) -> tuple[list[float], list[float]]:
    """Ask at a constant rate; return how long each mail took from its event, and from its commit."""
    count = int(per_second * seconds)
    began = perf_counter()
    due = {first + n: began + n / per_second for n in range(count)}
    durable: dict[int, float] = {}

    async def one(number: int) -> None:
        await ask(house, number)
        durable[number] = perf_counter()

    async with asyncio.TaskGroup() as group:
        for number, at in due.items():
            await asyncio.sleep(max(0.0, at - perf_counter()))
            group.create_task(one(number))
    while not due.keys() <= Stopwatch.came.keys():  # noqa: ASYNC110 - there is an event for the first only
        await asyncio.sleep(0.01)
    came = Stopwatch.came
    return (
        [came[number] - at for number, at in due.items()],
        [max(0.0, came[number] - durable[number]) for number in due],
    )


async def launches(house: House) -> list[float]:
    """Launch small campaigns one after the other; return how long their first mails took."""
    took = []
    for _ in range(LAUNCHES):
        Stopwatch.first.clear()
        began = perf_counter()
        await house.launch(afresh=False)
        await Stopwatch.first.wait()
        took.append(perf_counter() - began)
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
    Stopwatch.first = asyncio.Event()
    async with AsyncExitStack() as stack:
        server = await asyncio.get_running_loop().create_server(Stopwatch, "127.0.0.1", 0)
        port = int(server.sockets[0].getsockname()[1])
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
        stack.callback(process.wait)
        stack.callback(process.communicate)
        await asked(house, 1, 20, 1)  # warm
        print(f"launch of 200 to its first mail       {said(await launches(house))}", flush=True)
        await house.owner.execute("VACUUM ANALYZE")
        idle, idle_sent = await asked(house, 1_000_000, per_second, seconds)
        print(f"event to mail, {per_second}/s                 {said(idle)}")
        print(f"  from its commit                     {said(idle_sent)}", flush=True)
        await house.people(mails)
        await house.launch(afresh=False)
        await house.owner.execute("ANALYZE")
        busy, busy_sent = await asked(house, 2_000_000, per_second, seconds)
        left = await house.owner.fetchval("SELECT count(*) FROM dispatch WHERE state = 'planned'")
        print(f"event to mail beside a campaign       {said(busy)}")
        print(f"  from its commit                     {said(busy_sent)}")
        late = [sorted(one)[int(len(one) * 0.95)] for one in (busy, idle)]
        print(
            f"p95 beside a campaign / idle {late[0] / late[1]:.2f}; the campaign had {left} mails left"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--send"]:
        uvloop.run(send(sys.argv[2]))
    else:
        values = [float(value) for value in sys.argv[1:]]
        one, two, three = [*values, *[50_000.0, 200.0, 5.0][len(values) :]]
        uvloop.run(main(int(one), int(two), three))
