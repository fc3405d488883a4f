"""Furnished services, and what reaches them from the thread in which requests are invented."""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import furnishing
import httpx
import pytest
import pytest_asyncio
from fastapi.openapi.utils import get_openapi

import analytics_svc.main
import campaign_svc.main
import contacts_svc.main
import messaging_svc.main
import orders_svc.main
from kantis_contracts.campaign import (
    CampaignLaunchedV1,
    CellCard,
    OfferCard,
    Piece,
    PieceReleasedV1,
)
from kantis_contracts.contacts import (
    PermissionChangedV1,
    PermissionEntry,
    PersonCard,
    PersonChangedV1,
)
from kantis_contracts.orders import ProductCard, ProductChangedV1
from kantis_contracts.values import Channel, Language, PostalAddress, Purpose
from kantis_kit.testing.postgres import PostgresServer
from kantis_kit.testing.rig import OpenRig, Rig, open_rig
from kantis_kit.testing.waiting import eventually
from messaging_svc.links import LinkMaker, Unsubscribe, pack_unsubscribe

SPECS = {
    module.SPEC.name: module.SPEC
    for module in (
        contacts_svc.main,
        campaign_svc.main,
        orders_svc.main,
        messaging_svc.main,
        analytics_svc.main,
    )
}
SHOWN = ("code", "response_code", "sku", "key", "kid", "number", "email")
Hands = Callable[["House", str, dict[str, Any]], Awaitable[httpx.Response]]
NOBODY_ASKED = {"messaging": {"dns_servers": ["127.0.0.1:9"], "dns_timeout_seconds": 0.1}}
"""No name server: what a check of a domain finds is that nothing is known."""
KNOWN_PER_NAME = 30
LOOKS = 3
PATIENCE_SECONDS = 60  # a guard against hanging
PERSON, CAMPAIGN, CELL, PRODUCT, OFFER, PIECE, TEMPLATE = (UUID(int=n) for n in range(1, 8))
CODE = "7K2M9QX4TZ"


class Known:
    """Values that a service has shown, by name: with them, later requests reach what exists."""

    def __init__(self) -> None:
        self.values: dict[str, list[Any]] = defaultdict(list)
        self._rng = random.Random(11)

    def learn(self, path: str, answer: Any) -> None:
        """Remember the identifiers of an answer; a bare `id` is that of the path's last collection."""
        things = [part for part in path.split("/") if part and part != "v1" and "-" not in part]
        self._walk(things[-1].removesuffix("s") if things else "", answer)

    def _walk(self, thing: str, value: Any) -> None:
        for inner in value if isinstance(value, list) else ():
            self._walk(thing, inner)
        for name, inner in value.items() if isinstance(value, dict) else ():
            if isinstance(inner, str | int) and (
                name == "id" or name.endswith("_id") or name in SHOWN
            ):
                self.add(f"{thing}_id" if name == "id" else name, inner)
            self._walk(thing if name == "items" else name.removesuffix("s"), inner)

    def add(self, name: str, value: Any) -> None:
        """Remember a value."""
        found = self.values[name]
        if value not in found and len(found) < KNOWN_PER_NAME:
            found.append(value)

    def fill(self, name: str, value: Any) -> Any:
        """Return, mostly, a known value of this name, else what was invented."""
        found = self.values.get(name)
        return self._rng.choice(found) if found and self._rng.random() < 0.8 else value

    def put_into(self, body: Any) -> Any:
        """Return a body in which some identifiers are known ones."""
        if isinstance(body, list):
            return [self.put_into(inner) for inner in body]
        if not isinstance(body, dict):
            return body
        return {
            name: self.fill(name, inner) if isinstance(inner, str) else self.put_into(inner)
            for name, inner in body.items()
        }

    def put_into_case(self, case: Any) -> None:
        """Let an invented request reach what exists, mostly."""
        tokens = case.path.partition("{")[0]
        case.path_parameters = {
            name: self.fill(tokens if tokens in self.values else name, value)
            for name, value in (case.path_parameters or {}).items()
        }
        case.body = self.put_into(case.body)


@dataclass
class House:
    """One furnished service, and clients that another thread may use."""

    rig: Rig
    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    anonymous: httpx.AsyncClient
    known: Known = field(default_factory=Known)
    hands: "Hands | None" = None
    """Those who send what is made, when it is not one client alone."""

    def send(self, request: httpx.Request, *, with_key: bool = True) -> httpx.Response:
        """Send from a thread that is not the service's."""
        if with_key:
            request.headers["authorization"] = self.client.headers["authorization"]
        sending = self.anonymous.send(request)
        answer = asyncio.run_coroutine_threadsafe(sending, self.loop).result(PATIENCE_SECONDS)
        self.notice(request.url.path, answer)
        return answer

    def notice(self, path: str, answer: httpx.Response) -> None:
        """Remember what an answer shows."""
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        if answer.is_success and is_json and answer.content:
            self.known.learn(path, json.loads(answer.content))

    async def ask(self, method: str, path: str, **given: Any) -> Any:
        """Make something, as a client would, and return it."""
        if self.hands is not None and method == "POST":
            answer = await self.hands(self, path, given)
        else:
            answer = await self.insist(method, path, **given)
        assert answer.is_success, answer.text
        self.notice(path, answer)
        return answer.json() if answer.content else None

    async def insist(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Send again what was busy: a loop held the same rows; nothing was changed, and the answer says so."""
        answer = await self.client.request(method, path, **given)
        for _ in range(9):
            if "urn:kantis:problem:busy" not in answer.text:
                break
            answer = await self.client.request(method, path, **given)
        return answer

    def description(self) -> dict[str, Any]:
        """Return the description of the service's API."""
        return self.rig.service.openapi()

    def pages(self) -> dict[str, Any]:
        """Return a description of the pages for visitors, which have none but in these tests."""
        groups = self.rig.service.spec.public.values()
        routes = [route for routers in groups for router in routers for route in router.routes]
        return get_openapi(title="pages", version="1", routes=routes)

    async def settle(self) -> None:
        """Wait until what the service derives by itself has followed: three looks find the same."""
        looks: list[dict[str, tuple[int, str]]] = []

        async def is_quiet() -> bool:
            looks.append(await self.fingerprint())
            touched = looks[-1].get("public.touched_person", (0, ""))[0]
            return not touched and len(looks) > LOOKS and looks[-1] == looks[-LOOKS]

        await eventually(is_quiet, message="the service did not come to rest", within=60)

    async def fingerprint(self) -> dict[str, tuple[int, str]]:
        """Return of every table how many rows it has, and a sum over all that stands in them."""
        connection = await asyncpg.connect(self.rig.dsns[self.rig.service.spec.name])
        try:
            tables = await connection.fetch(
                "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
            return {
                table["name"]: tuple(
                    await connection.fetchrow(
                        "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text"
                        f" FROM {table['name']} AS t"
                    )
                )
                for table in tables
            }
        finally:
            await connection.close()


def _person() -> PersonCard:
    return PersonCard(
        person_id=PERSON,
        version=1,
        full_name="Kari Nordmann",
        language=Language.NB,
        email="kari@kunde.example",
        address=PostalAddress(street="Storgata 9", postal_code="0155", city="Oslo"),
    )


def _released(channel: Channel, template_id: UUID = TEMPLATE, **offer: Any) -> PieceReleasedV1:
    card = {
        "product_id": PRODUCT,
        "name": "Lampe",
        "price_minor": 19900,
        "currency": "NOK",
        **offer,
    }
    return PieceReleasedV1(
        campaign_id=CAMPAIGN, campaign_name="Vår", launch_id=UUID(int=20), cell_id=CELL, key_code="A",
        cell_name="A", segment_id=UUID(int=21), channel=channel, purpose=Purpose.OFFERS,
        template_id=template_id, currency="NOK", offer=OfferCard(offer_id=OFFER, **card),
        items=(Piece(piece_id=PIECE, person_id=PERSON, response_code=CODE),),
    )  # fmt: skip


async def _campaign(house: House) -> None:
    product = ProductCard(
        product_id=PRODUCT, version=1, sku="LAMP", name="Lampe", price_minor=19900, currency="NOK",
        vat_pct=25, available=100,
    )  # fmt: skip
    await house.rig.publish(ProductChangedV1(items=(product,)))
    await house.rig.drain()
    plan = {"name": "Vår", "segment_id": str(UUID(int=21)), "currency": "NOK"}
    path = f"/v1/campaigns/{(await house.ask('POST', '/v1/campaigns', json=plan))['id']}"
    await house.ask("POST", f"{path}/offers", json={"product_id": str(PRODUCT)})
    cell = {"name": "A", "share_pct": 100, "template_id": str(TEMPLATE)}
    await house.ask("POST", f"{path}/cells", json=cell)
    await house.ask("POST", f"{path}/preflights")


async def _orders(house: House) -> None:
    goods = {"sku": "LAMP", "name": "Lampe", "price_minor": 19900, "initial_stock": 5}
    product = await house.ask("POST", "/v1/products", json=goods)
    piece = _released(Channel.LETTER, product_id=product["product_id"])
    await house.rig.publish(PersonChangedV1(items=(_person(),)), piece)
    await house.rig.drain()
    await house.ask("POST", "/v1/responses", json={"kind": "order", "code": CODE})
    (order,) = house.known.values["order_id"]
    for step in ("pick", "ship"):
        await house.ask("POST", f"/v1/orders/{order}/{step}")
    await house.ask("GET", "/v1/invoices")
    house.known.add("code", CODE)


async def _messaging(house: House) -> None:
    html = (
        '<html><body><p>{{ greeting() }} <a href="{{ response_url }}">Bestill</a></p></body></html>'
    )
    texts = {"name": "Lamper", "languages": {"nb": {"subject": "Lampe", "html": html}}}
    template = await house.ask("POST", "/v1/templates", json=texts)
    entry = PermissionEntry(
        person_id=PERSON, channel=Channel.EMAIL, purpose=Purpose.OFFERS, state="granted", version=1,
        ledger_id=UUID(int=30), occurred_at=house.rig.clock.now() - timedelta(days=1),
    )  # fmt: skip
    known = (PersonChangedV1(items=(_person(),)), PermissionChangedV1(items=(entry,)))
    await house.rig.publish(*known)
    await house.rig.drain()
    await house.rig.publish(_released(Channel.EMAIL, UUID(template["id"])))
    await house.rig.drain()
    await house.ask("GET", "/v1/messages")
    (sent,) = await (await house.rig.service.database.pool()).fetch("SELECT id FROM dispatch")
    message = sent["id"]
    house.known.values["message_id"] = [str(message)]
    links = house.rig.service.scope.extras[LinkMaker]
    no = pack_unsubscribe(Unsubscribe(PERSON, message, Purpose.OFFERS))
    house.known.add("number", 1)
    house.known.add("/u/", links.signer.make("unsubscribe", no))
    house.known.add("/c/", links.tokens.make("c", message))
    house.known.add("/o/", links.tokens.make("o", message))
    await _talking(house)


async def _talking(house: House) -> None:
    """Let a visitor chat; streams end at once, since each is asked for many times."""
    settings = house.rig.service.settings
    settings.chat_never_closes, settings.chat_stream_seconds = True, 0.001
    begun = await house.anonymous.post("/chat", json={"text": "Hei", "email": "ola@kunde.example"})
    house.known.add("/chat/", begun.json()["token"])
    answer = {"name": "hei", "languages": {"nb": "{{ greeting }}"}}
    template = await house.ask("POST", "/v1/conversations/templates", json=answer)
    house.known.add("template_id", template["id"])
    (one,) = (await house.ask("GET", "/v1/conversations"))["items"]
    house.known.add("conversation_id", one["id"])


async def _analytics(house: House) -> None:
    now = house.rig.clock.now()
    cell = CellCard(cell_id=CELL, key_code="A", name="A", share_pct=100, template_id=TEMPLATE)
    launched = CampaignLaunchedV1(
        campaign_id=CAMPAIGN, campaign_name="Vår", launch_id=UUID(int=20), purpose=Purpose.OFFERS,
        channel=Channel.EMAIL, currency="NOK", launched_at=now, items=(cell,),
    )  # fmt: skip
    await house.rig.publish(launched, _released(Channel.EMAIL))
    await house.rig.drain()
    await house.ask("GET", "/v1/reports/campaigns")
    link = await house.ask("POST", f"/v1/reports/campaigns/{CAMPAIGN}/links", json={})
    house.known.add("campaign_id", str(CAMPAIGN))
    shared = next(text for text in link.values() if isinstance(text, str) and "/shared/" in text)
    house.known.add("/v1/reports/shared/", shared.rsplit("/", 1)[1])


FURNISH: dict[str, Callable[[House], Awaitable[None]]] = {
    "contacts": furnishing.furnish,
    "campaign": _campaign,
    "orders": _orders,
    "messaging": _messaging,
    "analytics": _analytics,
}


@asynccontextmanager
async def _furnished(rig: Rig, hands: Hands | None = None) -> AsyncIterator[House]:
    async with rig.client() as client, rig.anonymous() as anonymous:
        house = House(rig, asyncio.get_running_loop(), client, anonymous, hands=hands)
        await FURNISH[rig.service.spec.name](house)
        await rig.drain()
        yield house


@pytest.fixture
def furnished(rig_for: OpenRig) -> Callable[..., AbstractAsyncContextManager[House]]:
    """Provide what opens a service with one of everything in it."""

    @asynccontextmanager
    async def opened(name: str, hands: Hands | None = None) -> AsyncIterator[House]:
        async with _furnished(await rig_for(SPECS[name]), hands) as house:
            yield house

    return opened


@pytest.fixture(params=sorted(SPECS))
async def house(request: pytest.FixtureRequest, furnished: Any) -> AsyncIterator[House]:
    """Provide each service in turn, with one of everything in it."""
    async with furnished(request.param) as opened:
        await opened.settle()
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=sorted(SPECS))
async def shared_house(
    request: pytest.FixtureRequest,
    postgres_server: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[House]:
    """Provide each service in turn for all tests of a module that leave it as it is."""
    folder = tmp_path_factory.mktemp(request.param)
    async with (
        open_rig(postgres_server, folder, SPECS[request.param], settings=NOBODY_ASKED) as rig,
        _furnished(rig) as opened,
    ):
        yield opened
