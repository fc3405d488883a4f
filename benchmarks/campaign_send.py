"""A whole campaign through the public API: imported people, a pre-flight, the launch, and every mail at the mail server.

A house of its own, each side of each service a process, and a mail server that takes everything and remembers whom it was
for. Measured are the answer to the launch, from there to the first mail, the mails a second from the first to the last,
until the campaign calls itself finished, and the largest memory of each process. It fails when somebody got two mails, or
none, or when a recipient has not reached its end.

    python benchmarks/campaign_send.py [PEOPLE]

With KANTIS_RABBITMQ_URL it runs on that RabbitMQ, else on the embedded broker.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import uvloop
from _mail_parts import texts
from _sink import Sink

from kantis import runtime
from kantis.demo.client import Api
from kantis.installation import Surroundings
from kantis.operations import create_api_key
from kantis_kit.clock import SystemClock
from kantis_kit.ids import new_id

CLOCK = SystemClock()
LOOK_SECONDS = 0.05
LONGEST_SECONDS = 1_800
REST_SECONDS, REST_SHARE = 3, 0.4
"""The house is at rest when it uses less than this share of one processor for so long."""
SHOP = {
    "sku": "LAMP", "name": "Lampe Æø", "price_minor": 49_900, "currency": "NOK", "vat_pct": 25, "initial_stock": 1_000_000,
}  # fmt: skip


class Seen:
    """Whom mails were for, and when they came."""

    people: set[bytes] = set()
    first_at = last_at = 0.0


class Remembering(Sink):
    """One connection of a mail server that knows whom it has heard of."""

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4]
        if verb == b"RCPT":
            Seen.people.add(line)
        elif verb == b"DATA":
            Seen.last_at = CLOCK.now().timestamp()
            Seen.first_at = Seen.first_at or Seen.last_at
        elif verb == b"XSEE":
            return f"250 {len(Seen.people)} {Seen.first_at} {Seen.last_at}\r\n".encode()
        return super()._answer(line)


async def serve() -> None:
    """Be the mail server."""
    server = await asyncio.get_running_loop().create_server(Remembering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


@contextmanager
def mail_server() -> Iterator[int]:
    """Run the mail server; provide its port."""
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else 0)
        finally:
            process.kill()


async def asked(port: int, what: str) -> list[float]:
    """Ask the mail server for its figures."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await reader.readline()
        writer.write(f"{what}\r\n".encode())
        return [float(one) for one in (await reader.readline()).split()[1:]]
    finally:
        writer.close()
        await writer.wait_closed()


async def until(what: str, look: Callable[[], Awaitable[bool]]) -> None:
    """Look until it is so."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            while not await look():  # noqa: ASYNC110 - it happens in other processes
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise SystemExit(f"{what} did not come to its end") from None


def kantis(environment: dict[str, str], *arguments: str) -> None:
    """Run a command of the house."""
    subprocess.run([sys.executable, "-m", "kantis", *arguments], env=environment, check=True,
                   stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)  # fmt: skip


@contextmanager
def house(folder: Path, smtp_port: int) -> Iterator[runtime.Running]:
    """Run a house, each side of each service in a process of its own."""
    environment = os.environ | {
        "KANTIS_DATA_DIR": str(folder),
        "KANTIS_SMTP_HOST": "127.0.0.1",
        "KANTIS_SMTP_PORT": str(smtp_port),
        "KANTIS_MAIL_FROM": "Lys AS <post@lys.example>",
        "KANTIS_KEY_LIMIT": "100000/second",
        "KANTIS_IP_LIMIT": "100000/second",
    }
    kantis(environment, "up", "--detach", "--processes")
    try:
        running = runtime.read(folder)
        if running is None:
            raise SystemExit("the house did not start")
        yield running
    finally:
        kantis(environment, "stop")


def memory(pid: int) -> Iterator[tuple[str, float]]:
    """Return the largest memory of each process of the house, in MiB."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    for line in listing.stdout.splitlines():
        child, parent, command = line.split(None, 2)
        if int(parent) == pid and " serve " in command:
            words = command.split()
            status = Path(f"/proc/{child}/status").read_text()
            peak = next(one for one in status.splitlines() if one.startswith("VmHWM"))
            name = f"{words[words.index('serve') + 1]} {words[words.index('--role') + 1]}"
            yield name, int(peak.split()[1]) / 1024


def used(pid: int) -> float:
    """Return the processor seconds that the processes of the house have used."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    parents = {
        int(one): int(parent)
        for one, parent in (line.split() for line in listing.stdout.splitlines())
    }
    ticks = 0
    for one in parents:
        above = one
        while above > 1 and above != pid:
            above = parents.get(above, 0)
        if above == pid:
            try:
                fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def come_to_rest(pid: int) -> None:
    """Wait until every service has heard of everybody: until the house does next to nothing."""

    async def is_at_rest() -> bool:
        before = used(pid)
        await asyncio.sleep(REST_SECONDS)
        return used(pid) - before < REST_SECONDS * REST_SHARE

    await until("the import's events", is_at_rest)


async def import_people(api: Api, count: int) -> str:
    """Import people who want offers by mail; return the id of the segment of them all."""
    head = "fornavn;etternavn;kallenavn;epost;land;språk;permission.email.offers\r\n"
    rows = "".join(
        f"Kari;Nordmann;Kari{n};kari{n}@kunde.example;NO;nb;ja\r\n" for n in range(count)
    )
    given = {"source": "Kasse", "permission_source": "Kasse", "permission_text": "Ja takk"}
    answer = await api.send(
        "POST",
        "/v1/imports",
        params=given,
        content=(head + rows).encode(),
        headers={"Content-Type": "text/csv"},
    )
    made: dict[str, Any] = {}

    async def is_in() -> bool:
        made.update(await api.get(f"/v1/imports/{answer.json()['id']}"))
        return bool(made["state"] != "running")

    await until("the import", is_in)
    if made["permissions"] != count:
        raise SystemExit(f"not everybody was imported: {made}")
    condition = {"op": "permission", "channel": "email", "purpose": "offers", "state": "granted"}
    segment = await api.post("/v1/segments", {"name": "All", "condition": condition})
    return str(segment["id"])


async def plan(api: Api, segment_id: str, count: int) -> str:
    """Make the campaign and its pre-flight; return its path."""
    product = await api.post("/v1/products", SHOP)
    template = await api.post("/v1/templates", {"name": "Vår", "languages": {"nb": texts()}})
    campaign = await api.post(
        "/v1/campaigns",
        {"name": "Vår", "segment_id": segment_id, "currency": "NOK", "budget_minor": 10**9},
    )
    path = f"/v1/campaigns/{campaign['id']}"
    offer: dict[str, Any] = {}
    key = str(new_id())

    async def is_offered() -> bool:
        body = {"product_id": product.get("product_id") or product["id"]}
        answer = await api.send("POST", f"{path}/offers", json=body, key=key, allow=(404, 409, 422))
        if answer.is_success:
            offer.update(answer.json())
        return answer.is_success

    await until("the offer", is_offered)
    cell = {"name": "A", "share_pct": 100, "template_id": template["id"], "offer_id": offer["id"]}
    await api.post(f"{path}/cells", cell)

    async def is_reached() -> bool:
        """Say whether messages and campaigns have heard of everybody."""
        flight = await api.post(f"{path}/preflights")
        shown: dict[str, Any] = {}

        async def is_counted() -> bool:
            shown.update(await api.get(f"{path}/preflights/{flight['id']}"))
            return bool(shown["state"] == "counted")

        await until("the pre-flight", is_counted)
        return bool(sum(one["reachable"] for one in shown["reach"]) == count)

    await until("the reach", is_reached)
    return path


@dataclass
class Figures:
    """What a campaign took, in seconds from the moment at which the launch was asked for."""

    launched: float
    first: float
    last: float
    finished: float


async def send(api: Api, path: str, port: int, count: int) -> Figures:
    """Launch, and look on until it is finished."""
    started = CLOCK.now().timestamp()
    await api.post(f"{path}/launch", {"sign_off": {"name": "Benchmark", "reason": "read"}})
    launched = CLOCK.now().timestamp() - started
    shown: dict[str, Any] = {}

    async def is_finished() -> bool:
        await asyncio.sleep(0.5)  # who looks on must not be what is measured
        shown.update(await api.get(f"{path}/progress"))
        return bool(shown["state"] == "finished")

    await until("the campaign", is_finished)
    finished = CLOCK.now().timestamp() - started
    people, first_at, last_at = await asked(port, "XSEEN")
    mails, _ = await asked(port, "XCOUNT")
    states = {state: n for state, n in shown["by_state"].items() if n}
    if (people, mails, states) != (count, count, {"accepted": count}):
        raise SystemExit(f"{people:.0f} people got {mails:.0f} mails; ends: {states}")
    return Figures(launched, first_at - started, last_at - started, finished)


async def main(count: int) -> None:
    """Measure."""
    with (
        tempfile.TemporaryDirectory(prefix="kantis-bench-") as folder,
        mail_server() as port,
        house(Path(folder) / "data", port) as running,
    ):
        around = Surroundings.read({**os.environ, "KANTIS_DATA_DIR": str(Path(folder) / "data")})
        key = await create_api_key(around, role="administrator", name="benchmark")
        async with Api(running.url, key) as api:
            at = perf_counter()
            segment_id = await import_people(api, count)
            print(f"imported {count:,} people in {perf_counter() - at:.1f} s", flush=True)
            at = perf_counter()
            path = await plan(api, segment_id, count)
            await come_to_rest(running.pid)
            print(f"all services at rest {perf_counter() - at:.1f} s later", flush=True)
            was = dict(memory(running.pid))
            busy = used(running.pid)
            took = await send(api, path, port, count)
        rate = (count - 1) / (took.last - took.first)
        print(f"answer to the launch {took.launched:8.3f} s")
        print(f"first mail           {took.first:8.3f} s after the launch was asked for")
        print(
            f"last mail            {took.last:8.3f} s, {rate:,.0f} mails a second from the first to the last"
        )
        print(f"finished             {took.finished:8.3f} s")
        print(f"{count:,} recipients accepted, {count:,} people at the mail server, nobody twice")
        busy = (used(running.pid) - busy) / count * 1e6
        print(f"processor time of the whole house {busy:,.0f} µs a mail")
        for name, mib in sorted(memory(running.pid)):
            print(f"{name:18} {mib:6.0f} MiB at most, {was.get(name, 0):.0f} before the launch")


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        uvloop.run(serve())
    else:
        uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
