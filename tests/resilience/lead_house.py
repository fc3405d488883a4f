"""The gateway, contacts-svc and orders-svc in processes of their own, and visitors who note what they were told."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from nursery import Mortal, Nursery, free_port

from contacts_svc.main import SPEC as CONTACTS
from gateway.keys.usecases import create_key
from gateway.main import SPEC as GATEWAY
from kantis_contracts.contacts import PersonCard
from kantis_contracts.values import Language, PostalAddress
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import issue_token
from kantis_kit.clock import SystemClock
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.signing import Keys
from kantis_kit.testing.oracle import ClientOracle
from kantis_kit.testing.rig import LINK_KEYS
from kantis_kit.testing.waiting import eventually, pause
from kantis_kit.tx import write
from orders_svc.main import SPEC as ORDERS_SPEC
from orders_svc.people.usecases import take_persons

SPECS = {"contacts": CONTACTS, "gateway": GATEWAY, "orders": ORDERS_SPEC}
CLIENTS = 8
FORM = {
    "key": "autumn",
    "source": "Autumn competition",
    "titles": {"nb": "Høst"},
    "consent": {"nb": {"version": "1", "text": "Ja, send meg nyhetsbrev."}},
    "default_language": "nb",
}
SKU = "LAMP"
PRODUCT = {
    "sku": SKU, "name": "Lampe", "price_minor": 19_900, "currency": "NOK", "vat_pct": 25,
    "initial_stock": 100_000,
}  # fmt: skip
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


@dataclass
class LeadHouse:
    """What a test of leads and orders holds."""

    contacts: Mortal
    gateway: Mortal
    orders: Mortal
    dsns: dict[str, str]
    key: str
    buyer: UUID
    oracle: ClientOracle
    statuses: set[int] = field(default_factory=set)
    broken: int = 0
    """How often a visitor got no answer at all."""

    @property
    def url(self) -> str:
        """Where visitors post."""
        return f"http://127.0.0.1:{self.gateway.port}"

    async def post(self, client: httpx.AsyncClient, number: int, kind: str = "lead") -> None:
        """Post a lead, make a contact or order by the API, under a key of its own until it is taken."""
        name = f"visitor{number}@example.com"
        headers = {"Idempotency-Key": f"post-{number}", "Authorization": f"Bearer {self.key}"}
        body: dict[str, Any] = {"email": name, "full_name": f"Visitor {number}"}
        path = "/v1/contacts"
        if kind == "lead":
            path = "/f/autumn"
            headers = {"Idempotency-Key": f"post-{number}", "User-Agent": "Firefox"}
            body |= {"consent": True, "consent_version": "1", "language": "nb"}
        elif kind == "order":
            path, name = "/v1/responses", f"order {number}"
            body = {
                "kind": "order", "way": "phone", "person_id": str(self.buyer),
                "lines": [{"sku": SKU}], "note": name,
            }  # fmt: skip
        await self.oracle.intent(name)
        while True:
            try:
                answer = await client.post(f"{self.url}{path}", json=body, headers=headers)
            except httpx.TransportError:
                self.broken += 1
                await pause(0.02)
                continue
            self.statuses.add(answer.status_code)
            if answer.is_success:
                await self.oracle.ack(name)
                return
            assert answer.status_code in (503, 409), answer.text
            assert "retry-after" in answer.headers, answer.text
            await pause(0.05)  # a person waits longer; the machine under test shall not be idle

    async def play(
        self,
        posts: int,
        faults: Callable[[], Awaitable[None]],
        times: int,
        *,
        kinds: Sequence[str] = ("lead",),
        first: int = 0,
        rng: random.Random | None = None,
    ) -> None:
        """Have visitors post so many things, by turns of these kinds, and a fault happen so many times between them.

        With `rng`, each fault comes 50 to 500 ms after its turn, wherever the others are then.
        """
        waiting = list(range(first, first + posts))[::-1]
        done = 0
        due: asyncio.Queue[None] = asyncio.Queue()
        every = max(1, posts // (times + 1))

        async def visitor() -> None:
            nonlocal done
            async with httpx.AsyncClient(timeout=30) as client:
                while waiting:
                    number = waiting.pop()
                    await self.post(client, number, kinds[number % len(kinds)])
                    done += 1
                    if done % every == 0:
                        due.put_nowait(None)

        async def fate() -> None:
            for _ in range(times):
                await due.get()
                if rng:
                    await pause(rng.uniform(0.05, 0.5))
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

    async def check(self, *, within: float = 120) -> dict[str, int]:
        """Hold what is stored against what was acknowledged, once nothing waits any more; return what there is."""

        async def nothing_waits():
            return not await self.ask("gateway", "SELECT 1 FROM spool WHERE state = 'waiting'")

        await eventually(nothing_waits, message="leads wait in the spool", within=within)
        held = await self.ask("contacts", "SELECT value FROM identifier")
        noted = await self.ask("orders", "SELECT note AS value FROM response")
        found = self.oracle.reconcile(row["value"] for row in (*held, *noted)).check()
        assert found.attempted == found.acknowledged == found.stored
        assert [] == await self.ask("gateway", "SELECT path, problem FROM spool")
        assert [] == await self.ask("contacts", "SELECT id FROM lead WHERE times > 1")
        (counts,) = await self.ask("contacts", LEADS)
        assert {counts["leads"]} == set(counts.values()), dict(counts)
        (bought,) = await self.ask("orders", ORDERS)
        assert {len(noted)} == set(bought.values()), dict(bought)
        return {"posts": found.stored, "leads": counts["leads"], "orders": len(noted)}


LEADS = """
SELECT (SELECT count(*) FROM lead) AS leads, (SELECT count(*) FROM permission_ledger) AS entries,
       (SELECT count(*) FROM confirmation) AS questions,
       (SELECT count(*) FROM lead JOIN person ON person.id = lead.person_id) AS people,
       (SELECT coalesce(sum(jsonb_array_length(convert_from(data, 'UTF8')::jsonb -> 'items')), 0)
        FROM outbox WHERE type LIKE 'contacts.lead.received.%') AS told
"""
ORDERS = """
SELECT (SELECT count(*) FROM sales_order) AS orders, (SELECT count(*) FROM reservation WHERE state = 'held') AS held,
       (SELECT coalesce(sum(quantity), 0) FROM reservation) AS pieces, (SELECT sum(reserved) FROM product) AS reserved,
       (SELECT coalesce(sum(jsonb_array_length(convert_from(data, 'UTF8')::jsonb -> 'items')), 0)
        FROM outbox WHERE type LIKE 'orders.order.placed.%') AS told
"""


@asynccontextmanager
async def lead_house(
    nursery: Nursery, folder: Path, dsns: dict[str, str], keys_dir: Path, broker_dsn: str
) -> AsyncIterator[LeadHouse]:
    """Open the house on databases that are migrated."""
    taken: set[int] = set()
    ports = {name: free_port(taken) for name in SPECS}
    shared = {
        "KANTIS_ENVIRONMENT": "test",
        "KANTIS_DATA_DIR": str(folder),
        "KANTIS_KEYS_DIR": str(keys_dir),
        "KANTIS_BROKER_URL": broker_dsn,
        "KANTIS_LINK_KEYS": LINK_KEYS,
        "KANTIS_UPSTREAM_CONTACTS": f"http://127.0.0.1:{ports['contacts']}",
        "KANTIS_UPSTREAM_ORDERS": f"http://127.0.0.1:{ports['orders']}",
        **GENEROUS,
    }
    mortals = {
        name: Mortal(nursery, name, port, {**shared, "KANTIS_POSTGRES_DSN": dsns[name]})
        for name, port in ports.items()
    }
    async with AsyncExitStack() as stack:
        buyer, key = await _prepare(dsns, keys_dir, broker_dsn)
        for one in mortals.values():
            stack.push_async_callback(one.close)
        await asyncio.gather(*(one.launch() for one in mortals.values()))
        oracle = await stack.enter_async_context(ClientOracle(folder / "posts.jsonl"))
        yield LeadHouse(dsns=dsns, key=key, buyer=buyer, oracle=oracle, **mortals)


async def _prepare(dsns: dict[str, str], keys_dir: Path, broker_dsn: str) -> tuple[UUID, str]:
    """Make the form, something to buy, somebody who buys it, and an API key."""
    made = {
        name: Service(
            spec,
            spec.settings(
                environment="test",
                keys_dir=keys_dir,
                postgres_dsn=dsns[name],
                broker_url=broker_dsn,
                link_keys=LINK_KEYS,
            ),
        )
        for name, spec in SPECS.items()
    }
    await _post(made["contacts"], keys_dir, "/v1/forms", FORM)
    await _post(made["orders"], keys_dir, "/v1/products", PRODUCT)
    buyer = PersonCard(
        person_id=new_id(),
        version=1,
        full_name="Kari Nordmann",
        language=Language.NB,
        address=PostalAddress(street="Storgata 9", postal_code="0155", city="Oslo"),
    )
    async with write(made["orders"].scope, actor="test") as tx:
        await take_persons(tx, [buyer])
    async with write(made["gateway"].scope, actor="test") as tx:
        _, key = await create_key(tx, "administrator", "a test")
    for service in made.values():
        await service.database.close()
    return buyer.person_id, key


async def _post(service: Service, keys_dir: Path, path: str, body: dict[str, Any]) -> None:
    caller = Principal("test", "test", frozenset({"*"}))
    keys, now = Keys.load(keys_dir, "gateway"), SystemClock().now()
    token = issue_token(keys, caller, audience=service.spec.name, now=now)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=service.asgi),
        base_url="http://service.test",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        answer = await client.post(path, json=body)
        assert answer.status_code == 201, answer.text
