"""Leads through the gateway, answered after the commit, against the same statement in a bare group-commit application.

Three server processes stand side by side, each on a database of its own in one embedded PostgreSQL: the house (gateway and
contacts-svc in one process, as `kantis up` runs them), a bare ASGI application that reads JSON and writes the very same
rows by the same statement, without any rule, and that application behind the gateway, which shows what the gateway takes
of it. Rounds alternate at 16 and at 64 connections; the load comes from this process, on the same cores. With PEOPLE each
register is filled by that many before a last set of rounds.

    python benchmarks/lead_intake.py [SECONDS_PER_ROUND] [ROUNDS] [PEOPLE]
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import asyncpg
import httpx
import uvicorn
import uvloop
from _collector import as_in_the_house
from pydantic import SecretStr

from contacts_svc.intake.usecases.inserts import TABLES
from contacts_svc.main import SPEC as CONTACTS
from gateway.main import SPEC as GATEWAY
from gateway.main import build_gateway
from kantis.runner import saying_goodbye, server_for
from kantis_contracts.base import SERVICES
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import issue_token
from kantis_kit.clock import SystemClock
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.signing import Keys, make_keys
from kantis_kit.web.middleware import App

FORM = {
    "key": "bench",
    "source": "benchmark",
    "purposes": ["newsletter"],
    "titles": {"nb": "Nyhetsbrev"},
    "consent": {"nb": {"version": "1", "text": "Ja takk, send meg nyhetsbrev."}},
    "default_language": "nb",
}
LEVELS = (16, 64)
ROLES = ("bare", "fronted", "house")
GENEROUS: dict[str, dict[str, Any]] = {
    "contacts": {
        "trust_forwarded_for": True,
        "form_posts_per_hour": 10_000_000,
        "confirmations_per_hour": 10_000_000,
        "suppression_key": SecretStr("5a" * 32),
    },
    "gateway": {"trusted_proxies": ["127.0.0.0/8"]},
}


def service_of(given: dict[str, str], name: str) -> Service:
    """Build a service's web side."""
    spec = {"contacts": CONTACTS, "gateway": GATEWAY}[name]
    settings = spec.settings(
        keys_dir=Path(given["keys"]),
        data_dir=Path(given["keys"]).parent,
        postgres_dsn=SecretStr(given[name]),
        broker_url=SecretStr("postgresql://nobody@127.0.0.1/none"),
        link_keys=SecretStr("1:" + "5a" * 32),
        **GENEROUS[name],
    )
    return Service(spec, settings)


def fronted(given: dict[str, str], behind: App) -> App:
    """Return the gateway with an application behind it that takes the leads."""
    return build_gateway(service_of(given, "gateway"), {"contacts": behind})


async def serve(given: dict[str, str]) -> None:
    """Be a server process: print the port, serve until told to end."""
    if given["role"] == "house":
        behind: App = service_of(given, "contacts").asgi
    else:
        from _lead_intake_bare import bare  # noqa: PLC0415 - beside this file

        behind = await bare(given["contacts"])
    app = behind if given["role"] == "bare" else saying_goodbye(fronted(given, behind), bool)
    server = plain_server(app) if given["role"] == "bare" else server_for(app, port=0)
    as_in_the_house()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        print(server.servers[0].sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)  # ends with the process that measures
        server.should_exit = True


def plain_server(app: App) -> uvicorn.Server:
    """Return uvicorn as it comes, with nothing in front of the application."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http="httptools",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    return uvicorn.Server(config)


def spawn(given: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    """Start a server process and read its port."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", json.dumps(given)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, int(process.stdout.readline() if process.stdout else 0)


def posts() -> Iterator[bytes]:
    """Yield requests, each of somebody whom nobody knows, from a network address of their own."""
    for number in count(int(perf_counter() * 1000) * 100_000):
        body = json.dumps(
            {
                "email": f"k{number}@example.com",
                "full_name": f"Kari {number % 9973} Nordmann",
                "consent": True,
                "consent_version": "1",
                "language": "nb",
            }
        ).encode()
        address = ".".join(str((number >> shift) % 250 + 1) for shift in (0, 4, 8, 12))
        head = (
            f"POST /f/bench HTTP/1.1\r\nHost: kantis.test\r\nContent-Type: application/json\r\n"
            f"User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\nAccept: application/json\r\n"
            f"X-Forwarded-For: {address}\r\nIdempotency-Key: bench-{number}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


class Visitor(asyncio.Protocol):
    """One connection with one request under way; measures each."""

    good: tuple[bytes, ...] = (b"HTTP/1.1 202",)

    def __init__(self, requests: Iterator[bytes], until: float, took: list[float]) -> None:
        self.requests, self.until, self.took = requests, until, took
        self.done = asyncio.get_running_loop().create_future()
        self.held = b""
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        content = next(self.requests)
        self.began = perf_counter()
        self.transport.write(content)

    def data_received(self, data: bytes) -> None:
        """Take an answer; ask again until the time is up."""
        self.held += data
        head, mark, rest = self.held.partition(b"\r\n\r\n")
        if not mark:
            return
        lowered = head.lower()
        length = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self.held = b""
        now = perf_counter()
        self.took.append(now - self.began)
        if not head.startswith(self.good):
            self.done.set_exception(RuntimeError((head + rest).decode()))
            self.transport.close()
        elif now < self.until:
            self._next()
        else:
            self.done.set_result(None)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail when the server hangs up in the middle."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server has hung up"))


@dataclass
class Round:
    """What rounds at one number of connections have shown."""

    rates: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    def say(self) -> str:
        """Return rate and latencies in milliseconds."""
        ordered = sorted(self.took)
        middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        return f"{self.rate:7.0f} /s   p50 {middle * 1000:6.1f} ms   p99 {late * 1000:6.1f} ms"

    @property
    def rate(self) -> float:
        """The middle rate."""
        return statistics.median(self.rates)


async def load(port: int, seconds: float, connections: int, into: Round) -> None:
    """Post for so long over so many connections."""
    took: list[float] = []
    requests, started = posts(), perf_counter()
    loop = asyncio.get_running_loop()
    made = [
        (
            await loop.create_connection(
                lambda: Visitor(requests, started + seconds, took), "127.0.0.1", port
            )
        )[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(visitor.done for visitor in made))
    into.rates.append(len(took) / (perf_counter() - started))
    into.took.extend(took)


async def make_form(given: dict[str, str]) -> None:
    """Make the list and the form, through the service itself."""
    service = service_of(given, "contacts")
    token = issue_token(
        Keys.load(Path(given["keys"]), "gateway"),
        Principal("bench", "bench", frozenset({"*"})),
        audience="contacts",
        now=SystemClock().now(),
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=service.asgi),
        base_url="http://service.test",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        made = await client.post("/v1/segments", json={"name": "Bench", "kind": "list"})
        made.raise_for_status()
        answer = await client.post("/v1/forms", json={**FORM, "list_id": made.json()["id"]})
        answer.raise_for_status()
    await service.database.close()


async def fill(owner_dsn: str, people: int) -> None:
    """Put people into the register, each with an address."""
    connection = await asyncpg.connect(owner_dsn)
    now = SystemClock().now()
    for first in range(0, people, 50_000):
        made = [new_id() for _ in range(min(50_000, people - first))]
        person = dict.fromkeys(TABLES["person"], "") | {
            "version": 1,
            "full_name": "Ola Nordmann",
            "language": "nb",
            "country": "NO",
            "time_zone": "Europe/Oslo",
            "lifecycle": "prospect",
            "recipient_kind": "person",
            "do_not_contact": False,
            "custom": "{}",
            "is_erased": False,
            "created_at": now,
            "updated_at": now,
        }
        identifier = dict.fromkeys(TABLES["identifier"], "") | {
            "kind": "email",
            "is_primary": True,
            "is_identifying": True,
            "validity": "valid",
            "reachability": "unknown",
            "created_at": now,
        }
        async with connection.transaction():
            for table, like, rows in (
                ("person", person, [{"id": one} for one in made]),
                (
                    "identifier",
                    identifier,
                    [{"id": one, "person_id": one, "value": f"{one}@example.org"} for one in made],
                ),
            ):
                await connection.copy_records_to_table(
                    table,
                    columns=TABLES[table],
                    records=[tuple((like | row)[name] for name in TABLES[table]) for row in rows],
                )
    await connection.execute("ANALYZE")
    await connection.close()


async def main(seconds: float, rounds: int, people: int) -> None:
    """Measure, interleaved."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        make_keys(folder / "keys", (*SERVICES, "gateway"))
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
        given, owners = {"keys": str(folder / "keys")}, {}
        for name, spec in (*((role, CONTACTS) for role in ROLES), ("gateway", GATEWAY)):
            dsns = await provision(postgres.superuser_dsn(), name, passwords=postgres.secrets)
            await migrate(dsns.owner_dsn, spec.migrations)
            given[name], owners[name] = dsns.app_dsn, dsns.owner_dsn
        targets: dict[str, int] = {}
        for role in ROLES:
            mine = {**given, "role": role, "contacts": given[role]}
            await make_form(mine)
            process, targets[role] = spawn(mine)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        for told in ("empty register", f"{people} people more"):
            if told != "empty register":
                if not people:
                    break
                for role in ROLES:
                    await fill(owners[role], people)
            print(told)
            await measure(targets, seconds, rounds)


async def measure(targets: dict[str, int], seconds: float, rounds: int) -> None:
    """Alternate between the targets at each number of connections."""
    for port in targets.values():
        await load(port, 1.0, 16, Round())  # warm
    for connections in LEVELS:
        found = {name: Round() for name in targets}
        for _ in range(rounds):
            for name, port in targets.items():
                await load(port, seconds, connections, found[name])
        for name, one in found.items():
            share = one.rate / found["bare"].rate
            print(f"  {connections:3} connections  {name:7} {share:5.2f}  {one.say()}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        uvloop.run(serve(json.loads(sys.argv[2])))
    else:
        arguments = [float(value) for value in sys.argv[1:]]
        one, two, three = [*arguments, *[4.0, 3, 0][len(arguments) :]]
        uvloop.run(main(one, int(two), int(three)))
