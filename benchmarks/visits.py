"""Clicks and openings through the gateway, answered after the commit, against a bare application with the same group commit.

Two server processes stand side by side on one embedded PostgreSQL, each with a database of its own that holds the same
messages: the house (gateway and messaging-svc in one process, as `kantis up` runs them) and a bare ASGI application that
reads the token and writes the very same evidence by COPY, two groups under way, without a look at the message, without a
verdict and without an event. Between the two stands a third process, `alone`: the service's short way by itself, with the
look at the message, the verdict and the event, and without gateway, limits, headers and traces; what is between it and the
bare one is what is known of a click, what is between it and the house is what the house does with every request. Rounds
alternate at 16 and at 64 connections; the load comes from this process. Beside the rates stands the processor time of each
server a request, which says more than they do on a machine that others use.

    python benchmarks/visits.py [SECONDS_PER_ROUND] [ROUNDS] [MESSAGES]
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from _collector import as_in_the_house
from _mail_parts import LINK_KEYS, template
from _visitors import Round, Visitor, load, plain_server
from pydantic import SecretStr

from gateway.main import SPEC as GATEWAY
from gateway.main import build_gateway
from kantis.runner import saying_goodbye, server_for
from kantis_contracts.base import SERVICES
from kantis_kit.clock import SystemClock
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.signing import make_keys
from kantis_kit.web.middleware import App
from messaging_svc.links import TrackingTokens
from messaging_svc.main import SPEC as MESSAGING
from messaging_svc.tracking.fast import fast_visits
from messaging_svc.tracking.model import engagement
from messaging_svc.tracking.pages import PIXEL

LEVELS = (16, 64)
ROLES = ("bare", "alone", "house")
TICKS = os.sysconf("SC_CLK_TCK")
LINKS = 9
COLUMNS = tuple(column.name for column in engagement.columns)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


class Bare:
    """Keeps evidence in groups, and nothing else."""

    def __init__(self, connections: list["asyncpg.Connection[asyncpg.Record]"]) -> None:
        self.free = connections
        self.tokens = TrackingTokens.from_text(LINK_KEYS)
        self.waiting: deque[tuple[tuple[Any, ...], asyncio.Future[None]]] = deque()
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401
        """Serve one request."""
        use, token = scope["path"][1], scope["path"][3:]
        named = self.tokens.read(use, token)
        if named is None:
            raise ValueError(token)
        link = named[1] if use == "c" else None
        row = (
            new_id(), "click" if use == "c" else "open", named[0], link, "GET", "10.0.0.0/24", AGENT, 1000, "human", "",
            SystemClock().now(),
        )  # fmt: skip
        done = asyncio.get_running_loop().create_future()
        self.waiting.append((row, done))
        if self.free:
            task = asyncio.get_running_loop().create_task(self.run(self.free.pop()))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        await done
        start = (
            {"status": 302, "headers": [(b"location", b"https://shop.example/"), (b"content-length", b"0")]}
            if use == "c"
            else {"status": 200, "headers": [(b"content-type", b"image/gif"), (b"content-length", b"%d" % len(PIXEL))]}
        )  # fmt: skip
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": b"" if use == "c" else PIXEL})

    async def run(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Commit while somebody waits."""
        while self.waiting:
            group = [self.waiting.popleft() for _ in range(min(250, len(self.waiting)))]
            await connection.copy_records_to_table(
                "engagement", columns=COLUMNS, records=[row for row, _ in group]
            )
            for _, done in group:
                done.set_result(None)
        self.free.append(connection)


def services(given: dict[str, str]) -> tuple[Service, dict[str, Any]]:
    """Return messaging-svc, and the settings that it shares with the gateway."""
    shared: dict[str, Any] = {
        "keys_dir": Path(given["keys"]), "data_dir": Path(given["keys"]).parent, "link_keys": SecretStr(LINK_KEYS),
        "broker_url": SecretStr("postgresql://nobody@127.0.0.1/none"),
    }  # fmt: skip
    messaging = Service(
        MESSAGING, MESSAGING.settings(postgres_dsn=SecretStr(given["messaging"]), **shared)
    )
    return messaging, shared


async def gone(_scope: Any, _receive: Any, _send: Any) -> None:  # noqa: ANN401
    """Fail: every message is known."""
    raise LookupError


def alone(given: dict[str, str]) -> App:
    """Return the short way of both kinds of visits, and nothing around it."""
    messaging, _ = services(given)
    return fast_visits(messaging, gone)


def house(given: dict[str, str]) -> App:
    """Return the gateway with messaging-svc behind it."""
    messaging, shared = services(given)
    shared |= {"postgres_dsn": SecretStr(given["gateway"]), "trusted_proxies": ["127.0.0.0/8"]}
    front = Service(GATEWAY, GATEWAY.settings(**shared))
    return build_gateway(front, {"messaging": messaging.asgi})


async def serve(given: dict[str, str]) -> None:
    """Be a server process: print the port, serve until told to end."""
    if given["role"] == "bare":
        app: App = Bare([await asyncpg.connect(given["messaging"]) for _ in range(2)])
        server = plain_server(app)
    elif given["role"] == "alone":
        server = plain_server(alone(given))
    else:
        server = server_for(saying_goodbye(house(given), lambda: False), port=0)
    as_in_the_house()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        print(server.servers[0].sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)  # ends with the process that measures
        server.should_exit = True


class Reader(Visitor):
    """One connection of people who click, and look."""

    good = (b"HTTP/1.1 302", b"HTTP/1.1 200")


def requests(messages: Sequence[UUID]) -> Iterator[bytes]:
    """Yield requests, every other one a click, each from a network address of its own."""
    tokens = TrackingTokens.from_text(LINK_KEYS)
    for number in count():
        message = messages[number * 7919 % len(messages)]
        use = "co"[number % 2]
        token = tokens.make(use, message, number % LINKS if use == "c" else 0)
        address = ".".join(str((number >> shift) % 250 + 1) for shift in (0, 4, 8, 12))
        yield (
            f"GET /{use}/{token} HTTP/1.1\r\nHost: kantis.test\r\nUser-Agent: {AGENT}\r\n"
            f"X-Forwarded-For: {address}\r\n\r\n"
        ).encode()


def processor_seconds(process: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def fill(dsn: str, messages: Sequence[UUID]) -> None:
    """Have a template and messages of it that were sent."""
    owner = await asyncpg.connect(dsn)
    template_id, version_id, source_id, now = new_id(), new_id(), new_id(), SystemClock().now()
    await owner.execute(
        "INSERT INTO template (id, name, version, created_at, changed_at) VALUES ($1, 'x', 1, $2, $2)", template_id, now,
    )  # fmt: skip
    await owner.execute(
        "INSERT INTO template_version (id, template_id, number, source, compiled, created_by, created_at)"
        " VALUES ($1, $2, 1, '{}', $3, 'bench', $4)", version_id, template_id, json.dumps(template()), now,
    )  # fmt: skip
    await owner.execute(
        """
        INSERT INTO dispatch_source (id, launch_id, cell_id, campaign_id, campaign_name, key_code, cell_name, segment_id,
            segment_name, channel, purpose, template_id, template_version_id, cost_per_piece_minor, currency, created_at)
        VALUES ($1, $1, $1, $1, '', '', '', $1, '', 'email', 'offers', $2, $3, 0, 'NOK', $4)
        """,
        source_id, template_id, version_id, now,
    )  # fmt: skip
    await owner.execute(
        """
        INSERT INTO dispatch (id, origin, origin_id, person_id, channel, is_marketing, purpose, source_id, response_code,
            template_version_id, language, state, attempts, next_at, fence, rfc_message_id, planned_at, settled_at,
            is_announced)
        SELECT id, 'campaign', $2, gen_random_uuid(), 'email', true, 'offers', $2, 'K7QXM2', $3, 'nb', 'accepted', 1,
            $4::timestamptz, 1, id::text, $4, $4 - interval '1 hour', true
        FROM unnest($1::uuid[]) id
        """,
        list(messages), source_id, version_id, now,
    )  # fmt: skip
    await owner.execute("VACUUM ANALYZE dispatch, template_version")
    await owner.close()


async def main(seconds: float, rounds: int, number: int) -> None:
    """Measure, interleaved."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        make_keys(folder / "keys", (*SERVICES, "gateway"))
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
        given = {"keys": str(folder / "keys")}
        messages = [new_id() for _ in range(number)]
        for name, spec in (("messaging", MESSAGING), ("orders", MESSAGING), ("gateway", GATEWAY)):
            dsns = await provision(postgres.superuser_dsn(), name, passwords=postgres.secrets)
            await migrate(dsns.owner_dsn, spec.migrations)
            given[name] = dsns.app_dsn
            if spec is MESSAGING:
                await fill(dsns.owner_dsn, messages)
        targets: dict[str, int] = {}
        processes: dict[str, int] = {}
        for role in ROLES:
            mine = {**given, "role": role}
            if role != "house":
                mine["messaging"] = given["orders"]
            process = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs yet
                [sys.executable, __file__, "--serve", json.dumps(mine)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            targets[role] = int(process.stdout.readline() if process.stdout else 0)
            processes[role] = process.pid
            stack.callback(process.wait)
            stack.callback(process.terminate)
        for port in targets.values():
            await load(port, 1.0, 16, Round(), asked=requests(messages), visitor=Reader)  # warm
        for connections in LEVELS:
            found = {name: Round() for name in targets}
            used: defaultdict[str, float] = defaultdict(float)
            for _ in range(rounds):
                for name, port in targets.items():
                    before = processor_seconds(processes[name])
                    await load(
                        port, seconds, connections, found[name],
                        asked=requests(messages), visitor=Reader,
                    )  # fmt: skip
                    used[name] += processor_seconds(processes[name]) - before
            for name, one in found.items():
                each = used[name] / len(one.took) * 1e6
                print(f"  {connections:3} connections  {name:6} {one.say()}  {each:5.0f} µs each")
            bare, short, whole = (found[name].rate for name in ROLES)
            print(
                f"                   house / bare  {whole / bare:.2f}   alone / bare  {short / bare:.2f}"
                f"   house / alone  {whole / short:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        uvloop.run(serve(json.loads(sys.argv[2])))
    else:
        arguments = [float(value) for value in sys.argv[1:]]
        one, two, three = [*arguments, *[4.0, 3, 20_000][len(arguments) :]]
        uvloop.run(main(one, int(two), int(three)))
