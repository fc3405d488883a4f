"""Leads through the gateway, answered after the commit, against the same statement in a bare group-commit application.

Three server processes stand side by side, each on a database of its own in one embedded PostgreSQL: the house (gateway and
contacts-svc in one process, as `kantis up` runs them), a bare ASGI application that reads JSON and writes the very same
rows by the same statement, without any rule, and that application behind the gateway, which shows what the gateway takes
of it. Rounds alternate at 16 and at 64 connections; the load comes from this process, on the same cores. In them each
connection asks again at once, so that latencies say no more than rates do; paced rounds follow, in which both are offered
half of what the bare one could take, and which show how long a visitor waits. With PEOPLE each register is filled by that
many before a last set of rounds.

    python benchmarks/lead_intake.py [SECONDS_PER_ROUND] [ROUNDS] [PEOPLE]
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import httpx
import uvloop
from _collector import as_in_the_house
from _visitors import Round, load, plain_server
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
PACED_CONNECTIONS, PACED_SHARE = 16, 0.5
"""How many connections paced rounds have, and what part of the bare application's rate they offer."""
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
        await load(port, 1.0, 16, Round(), asked=posts())  # warm
    able = 0.0
    for connections in LEVELS:
        found = {name: Round() for name in targets}
        for _ in range(rounds):
            for name, port in targets.items():
                await load(port, seconds, connections, found[name], asked=posts())
        for name, one in found.items():
            share = one.rate / found["bare"].rate
            print(f"  {connections:3} connections  {name:7} {share:5.2f}  {one.say()}", flush=True)
        if connections == PACED_CONNECTIONS:
            able = found["bare"].rate
    offered = able * PACED_SHARE
    print(f"  {PACED_CONNECTIONS:3} connections, {offered:.0f} /s offered to each")
    found = {name: Round() for name in ("bare", "house")}
    for _ in range(rounds):
        for name, one in found.items():
            await load(
                targets[name], seconds, PACED_CONNECTIONS, one, asked=posts(), per_second=offered
            )
    for name, one in found.items():
        print(f"  {PACED_CONNECTIONS:3} paced        {name:7}        {one.say()}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        uvloop.run(serve(json.loads(sys.argv[2])))
    else:
        arguments = [float(value) for value in sys.argv[1:]]
        one, two, three = [*arguments, *[4.0, 3, 0][len(arguments) :]]
        uvloop.run(main(one, int(two), int(three)))
