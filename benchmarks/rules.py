"""Business rules at work: from the commit of what makes one true to the commit of what it does, two services apart.

100 live rules, each with a condition of its own over interactions; every event makes exactly one of them true of one
person. The time runs from the answer to the request that tells the event until the rule's step, with its event to the
senders, is committed in campaign-svc: at most 1 s for 95 of 100, at 200 events a second. The register, the broker, the
keeper of segments and the rules share one process; beside it stands the processor time per event.

    python benchmarks/rules.py [EVENTS] [RULES]
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import uvloop
from pydantic import SecretStr
from segments import ADDRESSES, FILL, line

from campaign_svc.main import SPEC as CAMPAIGN
from contacts_svc.main import SPEC as CONTACTS
from kantis_contracts.base import SERVICES
from kantis_contracts.campaign import StepRequestedV1
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import issue_token
from kantis_kit.brokers.embedded import EmbeddedBroker, create_schema
from kantis_kit.brokers.port import Subscription
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.ids import new_id
from kantis_kit.service import Service, ServiceSpec
from kantis_kit.signing import Keys, make_keys
from kantis_kit.testing.waiting import eventually

EVENTS = 2_000
RULES = 100
A_SECOND = 200
AT_ONCE = 10
"""Events that share a request."""
MOST_SECONDS = 1.0
PEOPLE = 20_000


class _Signed(httpx.Auth):
    """Gives each request a token of its own, as the gateway does: one lasts a minute."""

    def __init__(self, service: Service, keys: Keys) -> None:
        self._service, self._keys = service, keys

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        caller = Principal("bench", "bench", frozenset({"*"}))
        token = issue_token(
            self._keys, caller, audience=self._service.spec.name, now=self._service.clock.now()
        )
        request.headers["Authorization"] = f"Bearer {token}"
        yield request


@asynccontextmanager
async def client_of(service: Service, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client that calls a service as the gateway does."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=service.asgi),
        base_url="http://service.bench",
        auth=_Signed(service, Keys.load(folder / "keys", "gateway")),
    ) as client:
        yield client


async def opened(
    stack: AsyncExitStack, folder: Path, postgres: EmbeddedPostgres, spec: ServiceSpec, broker: str
) -> tuple[Service, asyncpg.Connection]:
    """Return a service that works, on a fresh database, and its owner's connection."""
    dsns = await provision(postgres.superuser_dsn(), spec.name, passwords=postgres.secrets)
    await migrate(dsns.owner_dsn, spec.migrations)
    settings = spec.settings(
        environment="test",
        data_dir=folder,
        keys_dir=folder / "keys",
        postgres_dsn=SecretStr(dsns.app_dsn),
        postgres_owner_dsn=SecretStr(dsns.owner_dsn),
        link_keys=SecretStr("1:" + "5a" * 32),
    )
    service = Service(spec, settings, broker=EmbeddedBroker(broker, name=spec.name))
    owner = await asyncpg.connect(dsns.owner_dsn)
    stack.push_async_callback(owner.close)
    return service, owner


async def make_rules(client: httpx.AsyncClient, rules: int) -> None:
    """Make rules, each of which waits for complaints about a topic of its own."""
    way = {"channel": "email", "template_id": str(new_id())}
    for n in range(rules):
        condition = {
            "op": "interactions",
            "kinds": ["complaint"],
            "topics": [f"topic {n}"],
            "value": 1,
        }
        body = {
            "name": f"Rule {n}",
            "on": {"type": "segment", "condition": condition},
            "action": {"kind": "message", "ways": [way]},
        }
        (await client.post("/v1/rules", json=body)).raise_for_status()


async def until(owner: asyncpg.Connection, query: str, wanted: int) -> None:
    """Wait until a count is reached."""

    async def reached() -> bool:
        return bool(await owner.fetchval(query) >= wanted)

    await eventually(reached, message=query, within=300)


async def watch(owner: asyncpg.Connection, told: dict[UUID, float], wanted: int) -> list[float]:
    """Return the seconds from each telling until its step was seen."""
    taken: list[float] = []
    seen: set[UUID] = set()
    newest = datetime.fromtimestamp(0, UTC)
    while len(seen) < wanted:
        # The newest alone: to read all of them again and again would be most of the work.
        rows = await owner.fetch("SELECT person_id, at FROM step WHERE at >= $1", newest)
        now = perf_counter()
        for person_id, at in rows:
            key = UUID(str(person_id))
            if key in told and key not in seen:
                seen.add(key)
                taken.append(now - told[key])
                newest = max(newest, at - timedelta(seconds=1))
        await asyncio.sleep(0.02)
    return taken


async def tell(
    client: httpx.AsyncClient, people: list[UUID], told: dict[UUID, float], rules: int, at: str
) -> None:
    """Tell a complaint of each of these people, at a steady rate."""
    pause = AT_ONCE / A_SECOND
    begun = perf_counter()
    for n in range(0, len(people), AT_ONCE):
        some = people[n : n + AT_ONCE]
        items: list[dict[str, Any]] = [
            {
                "contact_id": str(one), "kind": "complaint", "topic": f"topic {(n + k) % rules}",
                "occurred_at": at,
            }
            for k, one in enumerate(some)
        ]  # fmt: skip
        (await client.post("/v1/interactions", json={"items": items})).raise_for_status()
        told.update(dict.fromkeys(some, perf_counter()))
        await asyncio.sleep(max(0.0, begun + (n / AT_ONCE + 1) * pause - perf_counter()))


async def main(events: int, rules: int) -> None:
    """Run once."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
        make_keys(folder / "keys", (*SERVICES, "gateway"))
        broker = await provision(postgres.superuser_dsn(), "broker", passwords=postgres.secrets)
        maker = await asyncpg.connect(broker.owner_dsn)
        await create_schema(maker)
        await maker.close()
        contacts, register = await opened(stack, folder, postgres, CONTACTS, broker.app_dsn)
        campaign, owner = await opened(stack, folder, postgres, CAMPAIGN, broker.app_dsn)
        await register.execute(FILL, PEOPLE)
        await register.execute(ADDRESSES)
        await register.execute("VACUUM ANALYZE")
        for service in (contacts, campaign):
            await service.start()
            stack.push_async_callback(service.stop)
        # What the senders would take; without a queue the relay would try again and again.
        await eventually(lambda: campaign.broker.state == "up", message="the broker is down")
        await campaign.broker.declare([Subscription("bench.senders", (StepRequestedV1.type,))])
        telling = await stack.enter_async_context(client_of(contacts, folder))
        planning = await stack.enter_async_context(client_of(campaign, folder))
        await make_rules(planning, rules)
        await until(owner, "SELECT count(*) FROM rule WHERE state = 'active'", rules)
        await until(register, "SELECT count(*) FROM segment_state WHERE built = wanted", rules)
        rows = await register.fetch("SELECT id FROM person ORDER BY id LIMIT $1", events + rules)
        told: dict[UUID, float] = {}
        everybody = [UUID(str(row[0])) for row in rows]
        at = contacts.clock.now().isoformat()
        # Every rule acts once beforehand: its statements are put together at the first time alone.
        await tell(telling, everybody[:rules], {}, rules, at)
        await until(owner, "SELECT count(*) FROM step", rules)
        people = everybody[rules:]
        cpu, begun = process_time(), perf_counter()
        watching = asyncio.get_running_loop().create_task(watch(owner, told, len(people)))
        await tell(telling, people, told, rules, at)
        rate = len(people) / (perf_counter() - begun)
        taken = sorted(await watching)
        cpu = process_time() - cpu
        p95 = taken[int(len(taken) * 0.95)]
        figure = f"p50 {statistics.median(taken) * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms"
        line(
            f"{rules} rules, {rate:.0f} events/s", figure, "p95 <= 1 s", is_met=p95 <= MOST_SECONDS
        )
        sys.stdout.write(
            f"{'':34} worst {taken[-1] * 1e3:.0f} ms, {cpu / len(people) * 1e3:.1f} ms of processor an event\n"
        )


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:3]]
    uvloop.run(main(*(given + [EVENTS, RULES][len(given) :])))
