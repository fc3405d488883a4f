"""The whole house in one process, people of whom every service knows something, and a look into every corner."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from kantis.registry import ALL, spec_of
from kantis_contracts.base import REGISTRY
from kantis_contracts.campaign import Piece, PieceReleasedV1
from kantis_contracts.contacts import AudienceFrozenV1, AudienceMember
from kantis_contracts.messaging import MessageSettledV1, Settled, SettledState
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.testing.dumps import Dump
from kantis_kit.testing.rig import Rig
from kantis_kit.testing.waiting import eventually

FORM = {
    "key": "autumn",
    "source": "Autumn",
    "titles": {"en": "News"},
    "consent": {"en": {"version": "1", "text": "Yes"}},
    "double_opt_in": True,
}

RUNNING = (
    "INSERT INTO campaign VALUES ($1, 'Winter', $1, 'offers', 'email', NULL, 'NOK', NULL, 1, 'running', 1, now(), now())",
    "INSERT INTO cell VALUES ($1, $1, 'A', 'KEYA', 100, $1, NULL, 0)",
    "INSERT INTO preflight VALUES ($1, $1, 1, 'counting', NULL, '{}', now(), NULL)",
    (
        "INSERT INTO launch (id, campaign_id, preflight_id, state, launched_at, launched_by)"
        " VALUES ($1, $1, $1, 'running', now(), 'test')"
    ),
)
PIECE = """
INSERT INTO piece (id, launch_id, campaign_id, cell_id, person_id, response_code, because, state, released_at)
VALUES ($1, $2, $2, $2, $3, $4, to_jsonb($5::text[]), 'released', now())
"""
SOME = 250
"""So many events come again at once."""
GENEROUS = {"form_posts_per_ip": "100000/minute", "form_posts_per_hour": 1_000_000}


@dataclass
class Guest:
    """Somebody whose every trace carries a word that stands nowhere else."""

    word: str
    number: int
    person_id: str = ""
    invoice_id: str = ""

    @property
    def email(self) -> str:
        return f"{self.word}@example.com"

    @property
    def phone(self) -> str:
        return f"+474{self.number:07d}"


class House:
    """Every service, with what tests do to it."""

    def __init__(self, rig: Rig, server: Any, folder: Path) -> None:
        self.rig = rig
        self.folder = folder
        self.dumps = {
            name: Dump(server, name, rig.dsns[name], folder / f"{name}.backup") for name in ALL
        }

    @staticmethod
    def guests(count: int, *, prefix: str, first: int) -> list[Guest]:
        """Return people with words and phones of their own."""
        return [Guest(f"{prefix}{number:03d}q", first + number) for number in range(count)]

    @staticmethod
    def words(people: list[Guest]) -> "re.Pattern[str]":
        """Return what finds any trace of these people but their ids."""
        prefix = people[0].word.rstrip("0123456789q")
        phones = "|".join(guest.phone[3:] for guest in people)
        return re.compile(rf"{prefix}\d\d\dq|{phones}", re.IGNORECASE)

    async def fill(self, people: list[Guest]) -> None:
        """Let every service know something of these people, in every way there is."""
        rig = self.rig
        async with rig.client("contacts") as contacts, rig.client("orders") as orders:
            product = await orders.post(
                "/v1/products",
                json={"sku": "LAMP", "name": "Lamp", "price_minor": 10_000, "currency": "NOK", "vat_pct": 25},
            )  # fmt: skip
            if product.status_code == 201:
                id_ = product.json()["product_id"]
                stock = {"quantity": 10_000, "reason": "bought"}
                assert (
                    await orders.post(f"/v1/products/{id_}/stock-movements", json=stock)
                ).is_success
                assert (await contacts.post("/v1/forms", json=FORM)).is_success
                field = {"key": "boat", "kind": "text", "is_filtered": True}
                assert (await contacts.post("/v1/fields", json=field)).is_success
            for guest in people:
                await self._known(contacts, guest)
            await rig.drain()
            for guest in people:
                await self._buying(orders, guest)
        await rig.drain()
        await self._campaign(people)
        await rig.drain()

    async def _known(self, contacts: Any, guest: Guest) -> None:
        word = guest.word
        made = await contacts.post(
            "/v1/contacts",
            headers={"Idempotency-Key": str(new_id())},
            json={
                "full_name": f"{word} Nordmann", "preferred_name": word, "email": guest.email,
                "phone": guest.phone, "note": f"likes {word}", "custom": {"boat": word},
                "address": {"street": f"{word} gate 1", "postal_code": "0155", "city": "Oslo"},
            },
        )  # fmt: skip
        assert made.status_code == 201, made.text
        guest.person_id = made.json()["id"]
        told = [
            await contacts.post(
                "/v1/interactions",
                headers={"Idempotency-Key": str(new_id())},
                json={
                    "items": [
                        {"contact_id": guest.person_id, "kind": "call", "text": f"{word} complained"}
                    ]
                },
            ),
            await contacts.post(
                f"/v1/contacts/{guest.person_id}/permissions",
                json={
                    "channel": "email", "purpose": "offers", "state": "granted",
                    "source": "fair", "text_shown": "Yes",
                },
            ),
        ]  # fmt: skip
        assert all(one.is_success for one in told), [one.text for one in told]
        async with self.rig.anonymous("contacts") as visitor:
            lead = {"full_name": word, "email": guest.email, "consent": True}
            assert (await visitor.post("/f/autumn", json=lead)).is_success
        sent = await contacts.post(
            "/v1/imports",
            content=f"name,email,phone\n{word},not-an-address-{guest.email}x@,{guest.phone}\n",
            headers={"Content-Type": "text/csv"},
        )
        assert sent.is_success, sent.text

    async def _buying(self, orders: Any, guest: Guest) -> None:
        answer = await orders.post(
            "/v1/responses",
            headers={"Idempotency-Key": str(new_id())},
            json={
                "person_id": guest.person_id, "kind": "order", "way": "phone",
                "lines": [{"sku": "LAMP"}], "note": f"{guest.word} wants it wrapped",
            },
        )  # fmt: skip
        assert answer.is_success, answer.text
        order_id = answer.json()["order_id"]
        for step, body in (("pick", {}), ("ship", {"tracking": f"T{guest.word}"})):
            done = await orders.post(f"/v1/orders/{order_id}/{step}", json=body)
            assert done.is_success, done.text
        found = await orders.get("/v1/invoices", params={"order_id": order_id})
        guest.invoice_id = next(
            one["invoice_id"] for one in found.json()["items"] if one["order_id"] == order_id
        )

    async def _campaign(self, people: list[Guest]) -> None:
        launch, campaign, cell = new_id(), new_id(), new_id()
        pieces = [new_id() for _ in people]
        await self._written_to(people)
        await self.rig.publish(
            AudienceFrozenV1(
                launch_id=launch, campaign_id=campaign, segment_id=new_id(), segment_name="All",
                total=len(people),
                items=tuple(
                    AudienceMember(person_id=UUID(one.person_id), because=(f"is {one.word}",))
                    for one in people
                ),
            ),
            PieceReleasedV1(
                campaign_id=campaign, campaign_name="Winter", launch_id=launch, cell_id=cell,
                key_code="A", segment_id=new_id(), channel=Channel.EMAIL, purpose=Purpose.OFFERS,
                template_id=new_id(),
                items=tuple(
                    Piece(
                        piece_id=piece, person_id=UUID(one.person_id),
                        response_code=f"{index:06d}{one.number % 100:02d}", because=(one.word,),
                    )
                    for index, (piece, one) in enumerate(zip(pieces, people, strict=True))
                ),
            ),
            MessageSettledV1(
                items=tuple(
                    Settled(
                        message_id=new_id(), piece_id=piece, campaign_id=campaign, cell_id=cell,
                        person_id=UUID(one.person_id), channel=Channel.EMAIL, state=SettledState.FAILED,
                        reason=f"550 {one.email} unknown", settled_at=self.rig.clock.now(),
                    )
                    for piece, one in zip(pieces, people, strict=True)
                )
            ),
        )  # fmt: skip

    async def _written_to(self, people: list[Guest]) -> None:
        """Let a campaign that runs have written to these people."""
        pool = await self.rig.services["campaign"].database.pool()
        launch = new_id()
        for statement in RUNNING:
            await pool.execute(statement, launch)
        for guest in people:
            person_id, code = UUID(guest.person_id), f"{guest.number:010d}"
            await pool.execute(PIECE, new_id(), launch, person_id, code, [f"lives at {guest.word}"])

    async def erase(self, people: list[Guest]) -> list[str]:
        """Forget these people; return where their receipts stand."""
        places = []
        async with self.rig.client("contacts") as client:
            for guest in people:
                done = await client.delete(f"/v1/contacts/{guest.person_id}")
                assert done.status_code == 204, done.text
                places.append(done.headers["location"])
        await self.rig.drain()
        return places

    async def receipts(self, places: list[str]) -> list[dict[str, Any]]:
        """Return how far these erasures are."""
        async with self.rig.client("contacts") as client:
            return [(await client.get(place)).json() for place in places]

    async def redeliver(self) -> None:
        """Let every event that was ever published come again, as another event that nobody has had."""
        old = [
            REGISTRY[one.type].model_validate_json(one.data)
            for one in self.rig.envelopes
            if not one.type.startswith("contacts.erasure.")
        ]
        for start in range(0, len(old), SOME):
            await self.rig.publish(*old[start : start + SOME])
            await self.rig.drain()

    async def later(self, **span: float) -> None:
        """Let time pass, and what is due then be done."""
        self.rig.clock.advance(timedelta(**span))
        await self.rig.drain()

    async def backup(self) -> None:
        """Dump every database."""
        for dump in self.dumps.values():
            await dump.take()

    async def set_back(self, words: "re.Pattern[str]", *names: str) -> set[str]:
        """Set these databases back to the backup, as operators do it; return where the words stood before the start."""
        places = set()
        for name in names:
            before = self.rig.services[name]
            await before.stop()
            await self.dumps[name].restore()
            places |= {place for place, _ in await _in_database(name, self.rig.dsns[name], words)}
            again = Service(before.spec, before.settings, clock=self.rig.clock)
            await again.broker.start()
            await again.start(connect=False)
            self.rig.services[name] = again
        return places

    async def found(self, words: "re.Pattern[str]") -> list[tuple[str, str]]:
        """Return every corner in which such a word stands: databases, queues, files."""
        hits = []
        for name, dsn in self.rig.dsns.items():
            hits += await _in_database(name, dsn, words)
        broker = self.rig.services["contacts"].settings.broker_url.get_secret_value()
        hits += await _in_database("queues", broker, words)
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.suffix != ".backup":
                text = path.read_bytes().decode(errors="replace")
                hits += [(path.name, hit) for hit in set(words.findall(text))]
        return hits

    async def clean(self, words: "re.Pattern[str]") -> None:
        """Wait until no such word is left, save where the books are restricted."""

        async def nobody() -> bool:
            hits = {hit for hit in await self.found(words) if hit[0] not in RESTRICTED}
            assert not hits, sorted(hits)
            return True

        await eventually(
            nobody, message="somebody was not forgotten", within=900, retry_on=(AssertionError,)
        )


RESTRICTED = ("orders.restricted_recipient",)


async def _in_database(name: str, dsn: str, words: "re.Pattern[str]") -> list[tuple[str, str]]:
    connection = await asyncpg.connect(dsn)
    hits = []
    try:
        tables = await connection.fetch(
            "SELECT quote_ident(table_name) AS name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for table in tables:
            for row in await connection.fetch(f"SELECT t.* FROM {table['name']} t"):
                text = " ".join(
                    value.decode(errors="replace") if isinstance(value, bytes) else str(value)
                    for value in row.values()
                )
                hits += [(f"{name}.{table['name']}", hit) for hit in words.findall(text)]
    finally:
        await connection.close()
    return hits


@pytest.fixture
async def house(rig_for, postgres_server, tmp_path):
    specs = [spec_of(name) for name in ALL]
    rig = await rig_for(*specs, settings={"contacts": GENEROUS})
    first = dict(rig.services)
    yield House(rig, postgres_server, tmp_path)
    for name, service in rig.services.items():
        if service is not first[name]:
            await service.stop()  # the rig stops those that it has started
