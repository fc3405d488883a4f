"""A provider of text messages, and a house that sends with it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
import pytest

from kantis_contracts.campaign import OfferCard, Piece, PieceReleasedV1
from kantis_contracts.contacts import (
    PermissionChangedV1,
    PermissionEntry,
    PersonCard,
    PersonChangedV1,
)
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.ids import new_id
from kantis_kit.testing.http import Answer, HttpSink, Request, json_answer
from kantis_kit.testing.waiting import eventually
from messaging_svc.main import SPEC

SECRET = "a-long-secret-of-the-address"
TEXT = (
    "{{ greeting() }}! {{ offer_name }} {{ offer_price }} https://lys.example/v {{ response_url }}"
)


def number(n: int) -> str:
    return f"+474123{n:04d}"


@dataclass
class Phones:
    """A running messaging-svc with its provider, and people with phones."""

    rig: Any
    sink: HttpSink
    template_id: UUID = field(default_factory=new_id)

    async def save_template(self, **languages: str) -> UUID:
        async with self.rig.client() as client:
            answer = await client.post(
                "/v1/sms/templates", json={"name": "Vår", "languages": languages or {"nb": TEXT}}
            )
        assert answer.status_code == 201, answer.text
        self.template_id = UUID(answer.json()["id"])
        return self.template_id

    async def know(self, count: int = 1, **changes: Any) -> list[UUID]:
        """Tell of people who want offers by text message, with numbers from 0 on."""
        cards = tuple(
            PersonCard(
                **{
                    "person_id": new_id(), "version": 1, "preferred_name": f"Kari{n}",
                    "language": Language.NB, "phone": number(n), **changes,
                }
            )
            for n in range(count)
        )  # fmt: skip
        yes = tuple(
            PermissionEntry(
                person_id=card.person_id, channel=Channel.SMS, purpose=Purpose.OFFERS, state="granted",
                version=1, ledger_id=new_id(), occurred_at=self.rig.clock.now() - timedelta(days=1),
            )
            for card in cards
        )  # fmt: skip
        await self.rig.publish(PersonChangedV1(items=cards), PermissionChangedV1(items=yes))
        await self.rig.drain()
        return [card.person_id for card in cards]

    async def launch(self, persons: list[UUID]) -> None:
        offer = OfferCard(
            offer_id=new_id(), product_id=new_id(), name="Lampe", price_minor=49_900, currency="NOK"
        )
        await self.rig.publish(
            PieceReleasedV1(
                campaign_id=new_id(), campaign_name="Vår", launch_id=new_id(), cell_id=new_id(),
                key_code="A1", cell_name="A", segment_id=new_id(), segment_name="Alle",
                channel=Channel.SMS, purpose=Purpose.OFFERS, template_id=self.template_id, offer=offer,
                items=tuple(
                    Piece(piece_id=new_id(), person_id=person, response_code=f"C0DE{n:04d}")
                    for n, person in enumerate(persons)
                ),
            )
        )  # fmt: skip

    async def rows(self) -> list[Any]:
        pool = await self.rig.service.database.pool()
        return list(await pool.fetch("SELECT * FROM dispatch ORDER BY id"))

    async def until(self, count: int = 1, *states: str) -> list[Any]:
        """Wait until so many messages stand in one of these states, and everybody knows."""

        async def there() -> list[Any]:
            rows = [
                row
                for row in await self.rows()
                if row["state"] in (states or ("accepted",)) and row["is_announced"]
            ]
            return rows if len(rows) >= count else []

        found: list[Any] = await eventually(there, message=f"{count} did not become {states}")
        return found

    async def told(self, what: str, rule: str) -> None:
        async def there() -> bool:
            return any(row["rule"] == rule for row in await self.rows())

        await eventually(there, message=f"{what}: no row says {rule}")

    async def post(self, path: str, **given: Any) -> Any:
        async with self.rig.anonymous() as client:
            return await client.post(path, **given)

    def sent(self) -> list[dict[str, str]]:
        """Return what 46elks was asked to send."""
        return [dict(parse_qsl(one.body.decode())) for one in self.sink.requests]

    def short_links(self, text: str) -> list[str]:
        return re.findall(r"http://kantis\.test(/s/\w+)", text)


def yes_of_46elks(request: Request) -> Answer:
    return json_answer({"id": f"s{len(request.body)}", "status": "created"})


@pytest.fixture
async def provider() -> AsyncIterator[HttpSink]:
    async with HttpSink(answer=yes_of_46elks) as sink:
        yield sink


@pytest.fixture
def open_phones(provider, rig_for):
    """Open a house with a provider of its own."""

    async def make(**settings: Any) -> Phones:
        values = {
            "sms_provider": "46elks", "sms_url": provider.url, "sms_user": "u", "sms_password": "p",
            "sms_sender": "Lys AS", "sms_webhook_secret": SECRET, "company": "Lys AS", "sms_timeout_seconds": 60,
        }  # fmt: skip
        return Phones(await rig_for(SPEC, settings={"messaging": values | settings}), provider)

    return make


@pytest.fixture
async def phones(open_phones) -> Phones:
    return await open_phones()


def body_of(request: Request) -> Any:
    return orjson.loads(request.body)
