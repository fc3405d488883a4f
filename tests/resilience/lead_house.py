"""contacts-svc and the gateway in processes of their own, and visitors who note what they were told."""

import asyncio
import os
import random
import signal
import socket
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx

from contacts_svc.main import SPEC as CONTACTS
from gateway.keys.usecases import create_key
from gateway.main import SPEC as GATEWAY
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import issue_token
from kantis_kit.clock import SystemClock
from kantis_kit.service import Service
from kantis_kit.signing import Keys
from kantis_kit.testing.oracle import ClientOracle
from kantis_kit.testing.rig import LINK_KEYS
from kantis_kit.testing.waiting import eventually, pause
from kantis_kit.tx import write

CHILD = Path(__file__).parent / "lead_child.py"
CLIENTS = 8
FORM = {
    "key": "autumn",
    "source": "Autumn competition",
    "titles": {"nb": "Høst"},
    "consent": {"nb": {"version": "1", "text": "Ja, send meg nyhetsbrev."}},
    "default_language": "nb",
}
GENEROUS = {
    "KANTIS_FORM_POSTS_PER_IP": "100000/second",
    "KANTIS_FORM_POSTS_PER_ADDRESS": "100000/second",
    "KANTIS_FORM_POSTS_PER_HOUR": "1000000",
    "KANTIS_CONFIRMATIONS_PER_HOUR": "1000000",
    "KANTIS_IP_LIMIT": "100000/second",
    "KANTIS_KEY_LIMIT": "100000/second",
    "KANTIS_SPOOL_LEASE_SECONDS": "1",
    "KANTIS_UPSTREAM_TIMEOUT_SECONDS": "10",
}


def free_port(taken: set[int]) -> int:
    """Return a port of loopback that nobody listens on, below those that the system gives away."""
    for port in range(random.SystemRandom().randrange(21_000, 31_000), 32_000):
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port not in taken and one.connect_ex(("127.0.0.1", port)):
                taken.add(port)
                return port
    message = "no port is free"
    raise OSError(message)


@dataclass
class Mortal:
    """One service, started anew each time it was killed."""

    name: str
    port: int
    environment: dict[str, str]
    deaths: int = 0
    pid: int = 0
    process: asyncio.subprocess.Process | None = None

    async def open(self) -> None:
        """Pay for the imports."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(CHILD),
            self.name,
            str(self.port),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **self.environment},
        )

    async def launch(self) -> None:
        """Start it and wait until it answers."""
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"go\n")
        self.pid = int(await self.process.stdout.readline())
        async with httpx.AsyncClient() as client:

            async def lives():
                return (await client.get(f"http://127.0.0.1:{self.port}/livez")).is_success

            await eventually(
                lives,
                message=f"{self.name} did not start",
                within=60,
                retry_on=(httpx.TransportError,),
            )

    async def kill(self) -> None:
        """Kill it as a power cut does."""
        assert self.process is not None
        assert self.process.stdout is not None
        os.kill(self.pid, signal.SIGKILL)
        assert await self.process.stdout.readline() == b"dead\n"
        self.deaths += 1

    async def close(self) -> None:
        """End it with its parent."""
        if self.process is not None:
            self.process.kill()
            await self.process.wait()


@dataclass
class LeadHouse:
    """What a test of leads holds."""

    contacts: Mortal
    gateway: Mortal
    dsns: dict[str, str]
    key: str
    oracle: ClientOracle
    statuses: set[int] = field(default_factory=set)
    broken: int = 0
    """How often a visitor got no answer at all."""

    @property
    def url(self) -> str:
        """Where visitors post."""
        return f"http://127.0.0.1:{self.gateway.port}"

    async def post(self, client: httpx.AsyncClient, number: int, *, keyed: bool = False) -> None:
        """Post a lead, or make a contact by the API, under a key of its own until it is taken."""
        email = f"visitor{number}@example.com"
        body = {"email": email, "full_name": f"Visitor {number}"}
        path, headers = "/v1/contacts", {"Authorization": f"Bearer {self.key}"}
        if not keyed:
            path, headers = "/f/autumn", {"User-Agent": "Firefox"}
            body |= {"consent": True, "consent_version": "1", "language": "nb"}
        headers["Idempotency-Key"] = f"post-{number}"
        await self.oracle.intent(email)
        while True:
            try:
                answer = await client.post(f"{self.url}{path}", json=body, headers=headers)
            except httpx.TransportError:
                self.broken += 1
                await pause(0.02)
                continue
            self.statuses.add(answer.status_code)
            if answer.is_success:
                await self.oracle.ack(email)
                return
            assert answer.status_code in (503, 409), answer.text
            assert "retry-after" in answer.headers, answer.text
            await pause(0.05)  # a person waits longer; the machine under test shall not be idle

    async def play(
        self, posts: int, faults, times: int, *, keyed_every: int = 0, first: int = 0
    ) -> None:
        """Have visitors post so many leads, and a fault happen so many times between them."""
        waiting = list(range(first, first + posts))[::-1]
        done = 0
        due: asyncio.Queue[None] = asyncio.Queue()
        every = max(1, posts // (times + 1))

        async def visitor() -> None:
            nonlocal done
            async with httpx.AsyncClient(timeout=30) as client:
                while waiting:
                    number = waiting.pop()
                    keyed = bool(keyed_every) and number % keyed_every == 0
                    await self.post(client, number, keyed=keyed)
                    done += 1
                    if done % every == 0:
                        due.put_nowait(None)

        async def fate() -> None:
            for _ in range(times):
                await due.get()
                await faults()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fate())
            for _ in range(CLIENTS):
                tasks.create_task(visitor())

    async def ask(self, name: str, query: str) -> list[asyncpg.Record]:
        """Ask a database."""
        connection = await asyncpg.connect(self.dsns[name])
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    async def check(self, *, within: float = 120) -> None:
        """Hold what is stored against what was acknowledged, once nothing waits any more."""

        async def nothing_waits():
            return not await self.ask("gateway", "SELECT 1 FROM spool WHERE state = 'waiting'")

        await eventually(nothing_waits, message="leads wait in the spool", within=within)
        held = await self.ask("contacts", "SELECT value FROM identifier")
        self.oracle.reconcile(row["value"] for row in held).check()
        assert [] == await self.ask("gateway", "SELECT path, problem FROM spool")
        assert [] == await self.ask("contacts", "SELECT id FROM lead WHERE times > 1")
        (counts,) = await self.ask(
            "contacts",
            """
            SELECT (SELECT count(*) FROM lead) AS leads, (SELECT count(*) FROM permission_ledger) AS entries,
                   (SELECT count(*) FROM confirmation) AS questions,
                   (SELECT count(*) FROM lead JOIN person ON person.id = lead.person_id) AS people,
                   (SELECT coalesce(sum(jsonb_array_length(convert_from(data, 'UTF8')::jsonb -> 'items')), 0)
                    FROM outbox WHERE type LIKE 'contacts.lead.received.%') AS told
            """,
        )
        assert {counts["leads"]} == set(counts.values()), dict(counts)


@asynccontextmanager
async def lead_house(folder: Path, dsns: dict[str, str], keys_dir: Path, broker_dsn: str):
    """Open the house on databases that are migrated."""
    taken: set[int] = set()
    ports = {name: free_port(taken) for name in ("contacts", "gateway")}
    shared = {
        "KANTIS_ENVIRONMENT": "test",
        "KANTIS_DATA_DIR": str(folder),
        "KANTIS_KEYS_DIR": str(keys_dir),
        "KANTIS_BROKER_URL": broker_dsn,
        "KANTIS_LINK_KEYS": LINK_KEYS,
        "KANTIS_UPSTREAM_CONTACTS": f"http://127.0.0.1:{ports['contacts']}",
        **GENEROUS,
    }
    environment = {name: {**shared, "KANTIS_POSTGRES_DSN": dsns[name]} for name in ports}
    contacts, gateway = (Mortal(name, ports[name], environment[name]) for name in ports)
    async with AsyncExitStack() as stack:
        for one in (contacts, gateway):
            await one.open()
            stack.push_async_callback(one.close)
        key = await _prepare(dsns, keys_dir, broker_dsn)
        await asyncio.gather(contacts.launch(), gateway.launch())
        oracle = await stack.enter_async_context(ClientOracle(folder / "leads.jsonl"))
        yield LeadHouse(contacts, gateway, dsns, key, oracle)


async def _prepare(dsns: dict[str, str], keys_dir: Path, broker_dsn: str) -> str:
    """Make the form and an API key."""
    made = []
    for spec in (CONTACTS, GATEWAY):
        settings = spec.settings(
            environment="test",
            keys_dir=keys_dir,
            postgres_dsn=dsns[spec.name],
            broker_url=broker_dsn,
            link_keys=LINK_KEYS,
        )
        made.append(Service(spec, settings))
    contacts, gateway = made
    caller = Principal("test", "test", frozenset({"*"}))
    keys = Keys.load(keys_dir, "gateway")
    token = issue_token(keys, caller, audience="contacts", now=SystemClock().now())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=contacts.asgi),
        base_url="http://service.test",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        answer = await client.post("/v1/forms", json=FORM)
        assert answer.status_code == 201, answer.text
    async with write(gateway.scope, actor="test") as tx:
        _, key = await create_key(tx, "administrator", "a test")
    for service in made:
        await service.database.close()
    return key
