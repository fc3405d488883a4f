"""The phones and the provider of the tests of text messages."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kantis_contracts.campaign import Piece, PieceReleasedV1
from kantis_contracts.contacts import (
    PermissionChangedV1,
    PermissionEntry,
    PersonCard,
    PersonChangedV1,
)
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.ids import new_id
from kantis_kit.testing.http import HttpSink
from kantis_kit.testing.waiting import eventually
from messaging_svc.main import SPEC

SECRET = "a-long-secret-of-the-address"


@dataclass
class Desk:
    """A house to which people write."""

    rig: Any
    sink: HttpSink
    number: int = 0
    template_id: UUID = field(default_factory=new_id)

    async def know(self, phone: str, *, language: Language = Language.NB) -> UUID:
        """Tell of a person who wants offers by text message."""
        person_id = new_id()
        card = PersonCard(
            person_id=person_id, version=1, preferred_name="Kari", language=language, phone=phone
        )
        yes = PermissionEntry(
            person_id=person_id, channel=Channel.SMS, purpose=Purpose.OFFERS, state="granted",
            version=1, ledger_id=new_id(), occurred_at=self.rig.clock.now() - timedelta(days=1),
        )  # fmt: skip
        await self.rig.publish(PersonChangedV1(items=(card,)), PermissionChangedV1(items=(yes,)))
        await self.rig.drain()
        return person_id

    async def offer(self, *persons: UUID) -> list[tuple[str, str]]:
        """Launch a campaign; return what became of its messages."""
        async with self.rig.client() as client:
            saved = await client.post(
                "/v1/sms/templates", json={"name": "x", "languages": {"nb": "Tilbud STOPP"}}
            )
        launch = new_id()
        await self.rig.publish(
            PieceReleasedV1(
                campaign_id=new_id(), campaign_name="Vår", launch_id=launch, cell_id=new_id(),
                key_code="A", cell_name="A", segment_id=new_id(), segment_name="Alle",
                channel=Channel.SMS, purpose=Purpose.OFFERS, template_id=UUID(saved.json()["id"]),
                items=tuple(Piece(piece_id=new_id(), person_id=one, response_code="C0DE0001")
                    for one in persons),
            )
        )  # fmt: skip
        pool = await self.rig.service.database.pool()

        async def ended() -> list[Any]:
            rows = await pool.fetch(
                "SELECT * FROM dispatch WHERE origin_id = $1 AND settled_at IS NOT NULL", launch
            )
            return list(rows) if len(rows) == len(persons) else []

        rows: list[Any] = await eventually(ended, message="the offer did not end")
        return [(row["state"], row["rule"]) for row in rows]

    async def write(self, sender: str, text: str, *, id_: str = "", at: Any = None) -> int:
        """Let somebody write; return how the provider was answered."""
        self.number += 1
        form = {
            "id": id_ or f"i{self.number}", "from": sender, "to": "+4799999999", "message": text,
            "created": (at or self.rig.clock.now()).isoformat(), "direction": "incoming",
        }  # fmt: skip
        async with self.rig.anonymous() as client:
            answer = await client.post(f"/w/sms/46elks/{SECRET}/inbound", data=form)
        return int(answer.status_code)

    async def sent(self, count: int) -> list[dict[str, str]]:
        """Wait for so many text messages at the provider, and return them."""

        async def there() -> bool:
            return len(self.sink.requests) >= count

        await eventually(there, message=f"{count} text messages did not go out")
        return [one.form() for one in self.sink.requests]

    async def inbox(self, **filters: Any) -> list[dict[str, Any]]:
        async with self.rig.client() as client:
            answer = await client.get("/v1/inbound", params=filters)
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


@pytest.fixture
async def provider() -> AsyncIterator[HttpSink]:
    async with HttpSink() as sink:
        yield sink


@pytest.fixture
def open_desk(provider, rig_for):
    async def make(**settings: Any) -> Desk:
        values = {
            "sms_provider": "46elks", "sms_url": provider.url, "sms_sender": "+4799999999",
            "sms_webhook_secret": SECRET, "company": "Lys AS", "sms_timeout_seconds": 60,
        }  # fmt: skip
        return Desk(await rig_for(SPEC, settings={"messaging": values | settings}), provider)

    return make


@pytest.fixture
async def desk(open_desk) -> Desk:
    return await open_desk()
