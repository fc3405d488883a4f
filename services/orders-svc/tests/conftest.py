"""What tests of orders-svc have in common: people, pieces and goods, made as their owners would make them."""

import asyncio
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import pytest

from kantis_contracts.campaign import OfferCard, Piece, PieceReleasedV1
from kantis_contracts.contacts import PersonCard, PersonChangedV1
from kantis_contracts.values import Channel, Language, PostalAddress, Purpose
from kantis_kit.ids import new_id
from kantis_kit.tx import write
from orders_svc.main import SPEC

PRICE = 24_900
HANDLED_AND_STAGED = "SELECT (SELECT count(*) FROM inbox), last_value FROM outbox_seq_seq"


class Desk:
    """A rig with orders-svc, and the few things that every test does with it."""

    price = PRICE

    def __init__(self, rig: Any, client: Any) -> None:
        self.rig = rig
        self.client = client

    @staticmethod
    def person(**given: Any) -> PersonCard:
        return PersonCard(
            **{
                "person_id": new_id(),
                "version": 1,
                "full_name": "Kari Nordmann",
                "language": Language.NB,
                "email": "kari@example.com",
                "address": PostalAddress(street="Storgata 9", postal_code="0155", city="Oslo"),
                **given,
            }
        )

    @staticmethod
    def piece(
        person: PersonCard, product: dict[str, Any] | None, *codes: str, price: int = PRICE
    ) -> PieceReleasedV1:
        offer = product and OfferCard(
            offer_id=new_id(),
            product_id=product["product_id"],
            name="Ullteppe til vinteren",
            price_minor=price,
            currency=product["currency"],
        )
        return PieceReleasedV1(
            campaign_id=new_id(),
            campaign_name="Winter",
            launch_id=new_id(),
            cell_id=new_id(),
            key_code="A",
            segment_id=new_id(),
            channel=Channel.LETTER,
            purpose=Purpose.OFFERS,
            template_id=new_id(),
            offer=offer or None,
            items=tuple(
                Piece(piece_id=new_id(), person_id=person.person_id, response_code=code)
                for code in codes
            ),
        )

    async def drain(self) -> None:
        """Wait until nothing follows any longer from what was done.

        The rig looks at one place after the other; work that moves behind its back shows in what was handled or staged
        meanwhile, and then it has to look again.
        """
        before = None
        while before != (now := await self.rows(HANDLED_AND_STAGED)):
            before = now
            await self.rig.drain()

    def later(self, passed: timedelta) -> None:
        """Let time pass; the caller's token of before would be too old."""
        self.rig.clock.advance(passed)
        self.client.headers["Authorization"] = f"Bearer {self.rig.token('orders')}"

    async def product(self, stock: int = 5, **given: Any) -> dict[str, Any]:
        body = {"sku": "BLANKET", "name": "Ullteppe", "price_minor": PRICE, **given}
        answer = await self.client.post("/v1/products", json={**body, "initial_stock": stock})
        assert 201 == answer.status_code, answer.text
        return answer.json()

    async def ready(self, code: str, stock: int = 5, **given: Any) -> dict[str, Any]:
        """Return a product that the holder of a code may order."""
        person = self.person(**given)
        product = await self.product(stock)
        await self.rig.publish(PersonChangedV1(items=(person,)), self.piece(person, product, code))
        await self.drain()
        return product

    async def order(self, **body: Any) -> dict[str, Any]:
        answer = await self.client.post("/v1/responses", json={"kind": "order", **body})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def ship(self, order_id: str) -> dict[str, Any]:
        """Pick and ship an order; return its invoice."""
        for step in ("pick", "ship"):
            answer = await self.client.post(f"/v1/orders/{order_id}/{step}")
            assert 200 == answer.status_code, answer.text
        return await self.invoice(order_id)

    async def invoice(self, order_id: str) -> dict[str, Any]:
        answer = await self.client.get("/v1/invoices", params={"order_id": order_id})
        (invoice,) = answer.json()["items"]
        return invoice

    async def pay(self, reference: str, amount_minor: int, **given: Any) -> Any:
        body = {"currency": "NOK", "paid_on": str(date(2026, 3, 9)), **given}
        return await self.client.post(
            "/v1/payments", json={"reference": reference, "amount_minor": amount_minor, **body}
        )

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.client.get(path, params=params)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    async def accounts(self) -> dict[str, int]:
        """Return the sums of the ledger, which must balance."""
        balance = await self.get("/v1/ledger/balance")
        assert balance["is_balanced"]
        return {one["account"]: one["amount_minor"] for one in balance["accounts"]}

    async def rows(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        pool = await self.rig.service.database.pool()
        return [tuple(row) for row in await pool.fetch(statement, *arguments)]

    @asynccontextmanager
    async def tx(self):
        """Open a transaction as the kit's edges do, for tests of use cases."""
        async with write(self.rig.service.scope) as tx:
            yield tx


class World:
    """The service as a state machine sees it, from a thread of its own: every step is one transaction."""

    def __init__(self, rig: Any, person: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.rig, self.person, self.loop = rig, person, loop

    def do(self, use_case: Any, *arguments: Any, **given: Any) -> Any:
        async def in_a_transaction() -> Any:
            async with write(self.rig.service.scope) as tx:
                return await use_case(tx, *arguments, **given)

        return asyncio.run_coroutine_threadsafe(in_a_transaction(), self.loop).result(60)

    def rows(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        async def fetch() -> list[tuple[Any, ...]]:
            pool = await self.rig.service.database.pool()
            return [tuple(row) for row in await pool.fetch(statement, *arguments)]

        return asyncio.run_coroutine_threadsafe(fetch(), self.loop).result(60)

    def see(self, statement: str, *arguments: Any) -> tuple[Any, ...]:
        return self.rows(statement, *arguments)[0]


@pytest.fixture
def world_of():
    """Make of a rig and a person what a state machine acts on."""
    return lambda rig, person: World(rig, person, asyncio.get_running_loop())


@pytest.fixture
def desk_of():
    """Make a desk of a rig that the test has opened itself."""

    @asynccontextmanager
    async def make(rig: Any):
        async with rig.client() as client:
            yield Desk(rig, client)

    return make


@pytest.fixture
async def desk(rig_for):
    """A desk in a running service on a fresh database."""
    rig = await rig_for(SPEC, settings={"orders": {"pool_size": 10}})
    async with rig.client() as client:
        yield Desk(rig, client)
