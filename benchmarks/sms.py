"""Text messages a second to a provider on this machine, through gate, ledger and HTTP, against bare HTTP loops.

Three ways of the same run, in turns: the whole path (rows claimed, gated, marked, sent, recorded, told), a bare loop of
the same outgoing client, and a bare loop of aiohttp, each with the same number of requests at once to the same server in
a process of its own. The goal is 2,000 a second. Time on a shared machine says little: beside it stands the processor
time of the sending process per message, and below what the provider's own process took for each request, which is no part
of what is measured and shares the machine with it.

    python benchmarks/sms.py [MESSAGES_PER_ROUND] [ROUNDS] [CONCURRENCY]
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import aiohttp
import uvloop
from _collector import as_in_the_house

from kantis_contracts.campaign import OfferCard, Piece, PieceReleasedV1
from kantis_contracts.contacts import PermissionEntry, PermissionState, PersonCard
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.http import OutgoingClient
from kantis_kit.ids import new_id
from kantis_kit.testing.http import HttpSink
from kantis_kit.testing.postgres import PostgresServer, server_for_session
from kantis_kit.testing.rig import Rig, open_rig
from kantis_kit.tx import write
from messaging_svc.dispatch.usecases import plan_pieces
from messaging_svc.main import SPEC
from messaging_svc.register.usecases import keep_permissions, keep_persons
from messaging_svc.sms.sender import send_texts

GOAL = 2_000
BATCH = 1_000
BODY = (
    b"from=Lys&to=%2B4741230000&message="
    + b"Hei+Kari%21+Lampe+499+kr+http%3A%2F%2Fkantis.test%2Fs%2F" * 2
)


async def serve() -> None:
    """Be the provider: print the port, serve until standard input ends."""
    async with HttpSink(keeps=False) as sink:
        print(sink.port, flush=True)
        used = process_time()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        print(process_time() - used, flush=True)


async def at_once(count: int, concurrency: int, send: Callable[[], Awaitable[object]]) -> None:
    """Send so many requests, so many at once."""
    left = iter(range(count))

    async def one() -> None:
        for _ in left:
            await send()

    await asyncio.gather(*(one() for _ in range(concurrency)))


async def bare_client(url: str, count: int, concurrency: int) -> None:
    """Send with the outgoing client and nothing else."""
    client = OutgoingClient(max_in_flight=concurrency, timeout_seconds=60, connect_seconds=60)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic dTpw"}
    await at_once(
        count,
        concurrency,
        lambda: client.request("POST", f"{url}/sms", content=BODY, headers=headers),
    )
    await client.close()


async def bare_aiohttp(url: str, count: int, concurrency: int) -> None:
    """Send with aiohttp and nothing else."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

        async def send() -> None:
            async with session.post(f"{url}/sms", data=BODY) as answer:
                await answer.read()

        await at_once(count, concurrency, send)


async def know(rig: Rig, count: int) -> list[UUID]:
    """Make people who want offers by text message."""
    persons = [new_id() for _ in range(count)]
    for start in range(0, count, BATCH):
        part = list(enumerate(persons))[start : start + BATCH]
        async with write(rig.service.scope) as tx:
            await keep_persons(
                tx,
                [
                    PersonCard(
                        person_id=one, version=1, preferred_name="Kari", language=Language.NB,
                        phone=f"+474{n:07d}",
                    )
                    for n, one in part
                ],
            )  # fmt: skip
            await keep_permissions(
                tx,
                [
                    PermissionEntry(
                        person_id=one, channel=Channel.SMS, purpose=Purpose.OFFERS, state=PermissionState.GRANTED, version=1,
                        ledger_id=new_id(), occurred_at=rig.clock.now() - timedelta(days=1),
                    )
                    for _, one in part
                ],
            )  # fmt: skip
    return persons


async def plan(rig: Rig, template_id: UUID, persons: list[UUID]) -> None:
    """Plan a message for each, as the event of a launch does."""
    launch, cell = new_id(), new_id()
    for start in range(0, len(persons), BATCH):
        event = PieceReleasedV1(
            campaign_id=new_id(), campaign_name="V", launch_id=launch, cell_id=cell, key_code="A", cell_name="A",
            segment_id=new_id(), segment_name="S", channel=Channel.SMS, purpose=Purpose.OFFERS,
            template_id=template_id,
            offer=OfferCard(offer_id=new_id(), product_id=new_id(), name="Lampe", price_minor=49_900, currency="NOK"),
            items=tuple(
                Piece(piece_id=new_id(), person_id=one, response_code="C0DE0001")
                for one in persons[start : start + BATCH]
            ),
        )  # fmt: skip
        async with write(rig.service.scope) as tx:
            await plan_pieces(tx, event)


async def whole_path(rig: Rig) -> None:
    """Run the sender until nothing waits."""
    pool = await rig.service.database.pool()
    task = asyncio.get_running_loop().create_task(send_texts(rig.service))
    waiting = (
        "SELECT EXISTS (SELECT FROM dispatch WHERE state IN ('planned', 'claimed', 'handed_over'))"
    )
    while await pool.fetchval(waiting):  # noqa: ASYNC110 - the sender has no event for it
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait({task})


async def measure(postgres: PostgresServer, count: int, rounds: int, concurrency: int) -> None:
    """Measure in turns and print."""
    server = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs yet
        [sys.executable, __file__, "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    port = int(server.stdout.readline()) if server.stdout else 0
    url = f"http://127.0.0.1:{port}"
    settings: dict[str, Any] = {
        "sms_provider": "46elks", "sms_url": url, "sms_user": "u", "sms_password": "p", "sms_sender": "Lys",
        "sms_webhook_secret": "x" * 24, "sms_concurrency": concurrency, "sms_timeout_seconds": 60,
    }  # fmt: skip
    found: dict[str, list[tuple[float, float]]] = {}

    async def timed(name: str, work: Awaitable[None]) -> None:
        began, used = perf_counter(), process_time()
        await work
        found.setdefault(name, []).append(
            (count / (perf_counter() - began), (process_time() - used) / count * 1e6)
        )

    with tempfile.TemporaryDirectory() as folder:
        async with open_rig(
            postgres, Path(folder), SPEC, settings={"messaging": settings}, start=False
        ) as rig:
            async with rig.client() as client:
                text = "{{ greeting() }}! {{ offer_name }} {{ offer_price }} https://lys.example/v {{ response_url }}"
                saved = await client.post(
                    "/v1/sms/templates", json={"name": "B", "languages": {"nb": text}}
                )
            persons = await know(rig, count)
            as_in_the_house()
            for _ in range(rounds):
                await plan(rig, UUID(saved.json()["id"]), persons)
                await timed("the whole path", whole_path(rig))
                await timed("the outgoing client alone", bare_client(url, count, concurrency))
                await timed("aiohttp alone", bare_aiohttp(url, count, concurrency))
            pool = await rig.service.database.pool()
            states = dict(await pool.fetch("SELECT state, count(*) FROM dispatch GROUP BY state"))
    if server.stdin:
        server.stdin.close()
    sink = float(server.stdout.readline()) if server.stdout else 0.0
    server.wait()
    if states != {"accepted": count * rounds}:
        raise RuntimeError(json.dumps(states))
    print(f"{count} text messages a round, {rounds} rounds, {concurrency} requests at once")
    medians = {
        name: (statistics.median(rate for rate, _ in told), statistics.median(used for _, used in told))
        for name, told in found.items()
    }  # fmt: skip
    for name, (rate, used) in medians.items():
        print(f"{name:28} {rate:8.0f}/s {used:8.0f} µs of processor time each")
    requests = count * rounds * len(found)
    print(
        f"{'the provider itself':28} {'':10} {sink / requests * 1e6:8.0f} µs of processor time each"
    )
    whole, client_rate = medians["the whole path"], medians["the outgoing client alone"]
    print(
        f"the whole path has {whole[0] / client_rate[0]:.0%} of the rate of the client alone and "
        f"{whole[0] / medians['aiohttp alone'][0]:.0%} of aiohttp's; the goal is {GOAL}/s"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        uvloop.run(serve())
    else:
        with server_for_session() as one:
            given = [int(word) for word in sys.argv[1:4]]
            uvloop.run(measure(one, *(given + [4_000, 3, 64][len(given) :])))
