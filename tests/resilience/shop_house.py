"""orders-svc in a process of its own that is killed while clients call it, each call again until it is answered."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from nursery import Mortal, Nursery, free_port

from kantis_contracts.contacts import PersonCard
from kantis_contracts.values import Language, PostalAddress
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import issue_token
from kantis_kit.clock import SystemClock
from kantis_kit.ids import new_id
from kantis_kit.signing import Keys
from kantis_kit.testing.rig import LINK_KEYS, Rig
from kantis_kit.testing.waiting import pause
from kantis_kit.tx import write
from orders_svc.people.usecases import take_persons

SKU = "LAMP"
NOT_NOW = (409, 503)
"""Answered so with `Retry-After`: the same call is under way, or the process is about to end."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a client wants done once, however often it has to be sent."""

    path: str
    body: dict[str, Any]
    key: str


@dataclass
class ShopHouse:
    """What a test of orders-svc under kills holds."""

    orders: Mortal
    keys: Keys
    dsn: str
    buyer: str
    broken: int = 0
    """How often a client got no answer at all."""
    answers: dict[str, httpx.Response] = field(default_factory=dict)
    """The answer to each call, by its key."""

    async def play(self, calls: Iterable[Call], *, clients: int, kills: int) -> None:
        """Let so many clients make these calls, the process being killed so often between them, at even distances."""
        waiting = list(calls)[::-1]
        every = max(1, len(waiting) // (kills + 1))
        done, due = 0, asyncio.Queue[None]()

        async def client() -> None:
            nonlocal done
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{self.orders.port}", timeout=30
            ) as caller:
                while waiting:
                    call = waiting.pop()
                    self.answers[call.key] = await self._send(caller, call)
                    done += 1
                    if done % every == 0:
                        due.put_nowait(None)

        async def fate() -> None:
            for _ in range(kills):
                await due.get()
                await self.orders.kill()
                await self.orders.launch()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fate())
            for _ in range(clients):
                tasks.create_task(client())

    async def _send(self, caller: httpx.AsyncClient, call: Call) -> httpx.Response:
        while True:
            headers = {"Idempotency-Key": call.key, "Authorization": f"Bearer {self._token()}"}
            try:
                answer = await caller.post(call.path, json=call.body, headers=headers)
            except httpx.TransportError:
                self.broken += 1
                await pause(0.02)
                continue
            if answer.status_code not in NOT_NOW or "retry-after" not in answer.headers:
                return answer
            await pause(0.05)

    def _token(self) -> str:
        caller = Principal("test", "test", frozenset({"*"}))
        return issue_token(self.keys, caller, audience="orders", now=SystemClock().now())

    async def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def sell(self, stock: int) -> None:
        """Take the only product into the catalogue."""
        body = {
            "sku": SKU, "name": "Lampe", "price_minor": 19_900, "currency": "NOK", "vat_pct": 25,
            "initial_stock": stock,
        }  # fmt: skip
        await self.play([Call("/v1/products", body, "product")], clients=1, kills=0)
        assert 201 == self.answers.pop("product").status_code

    def order(self, number: int) -> Call:
        """Return the call by which the buyer orders one of it, or nothing when there is none left."""
        body = {
            "kind": "order", "way": "phone", "person_id": self.buyer, "lines": [{"sku": SKU}], "again": True,
            "if_sold_out": "refuse",
        }  # fmt: skip
        return Call("/v1/responses", body, f"order-{number}")


@asynccontextmanager
async def shop_house(nursery: Nursery, rig: Rig, folder: Path) -> AsyncIterator[ShopHouse]:
    """Open the house on the database of a rig whose own service does not run."""
    service = rig.services["orders"]
    buyer = PersonCard(
        person_id=new_id(), version=1, full_name="Kari Nordmann", language=Language.NB,
        address=PostalAddress(street="Storgata 9", postal_code="0155", city="Oslo"),
    )  # fmt: skip
    async with write(service.scope, actor="test") as tx:
        await take_persons(tx, [buyer])
    environment = {
        "KANTIS_ENVIRONMENT": "test",
        "KANTIS_DATA_DIR": str(folder),
        "KANTIS_KEYS_DIR": str(rig.keys_dir),
        "KANTIS_BROKER_URL": service.settings.broker_url.get_secret_value(),
        "KANTIS_LINK_KEYS": LINK_KEYS,
        "KANTIS_POSTGRES_DSN": rig.dsns["orders"],
    }
    orders = Mortal(nursery, "orders", free_port(set()), environment)
    try:
        await orders.launch()
        keys = Keys.load(rig.keys_dir, "gateway")
        yield ShopHouse(orders, keys, rig.dsns["orders"], str(buyer.person_id))
    finally:
        await orders.close()
