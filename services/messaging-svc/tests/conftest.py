"""What the tests of messaging-svc share: a mail server, people, templates and launches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_string, policy
from typing import Any
from uuid import UUID

import pytest

from kantis_contracts.campaign import OfferCard, Piece, PieceReleasedV1
from kantis_contracts.contacts import (
    PermissionChangedV1,
    PermissionEntry,
    PersonCard,
    PersonChangedV1,
)
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit import failpoints
from kantis_kit.ids import new_id
from kantis_kit.testing.smtp import SmtpSink
from kantis_kit.testing.waiting import eventually
from messaging_svc.dispatch.ledger import Ledger
from messaging_svc.dispatch.mail import MailCarrier
from messaging_svc.main import SPEC
from messaging_svc.quarantine.guard import Guard

HTML = """<html><head><style>p{color:#333}</style></head><body><p>{{ greeting() }},</p>
<p>{{ offer_name }} {{ offer_price }} <a href="https://shop.example/lamps?x=1&amp;y=2">Se her</a>
<a href="{{ response_url }}">Bestill</a></p></body></html>"""
TEXTS = {"nb": {"subject": "{{ greeting() }}: {{ offer_name }}", "html": HTML}}


@pytest.fixture(autouse=True)
def no_failpoints_left():
    yield
    failpoints.disarm_all()


@pytest.fixture
async def sink() -> AsyncIterator[SmtpSink]:
    async with SmtpSink() as server:
        yield server


@dataclass
class House:
    """A running messaging-svc with its mail server, and what other services would tell it."""

    rig: Any
    sink: SmtpSink
    template_id: UUID = field(default_factory=new_id)
    segment_id: UUID = field(default_factory=new_id)

    async def save_template(self, texts: Any = None) -> UUID:
        async with self.rig.client(scopes=["messaging:write"]) as client:
            answer = await client.post(
                "/v1/templates", json={"name": "Lamper", "languages": texts or TEXTS}
            )
        assert answer.status_code == 201, answer.text
        self.template_id = UUID(answer.json()["id"])
        return self.template_id

    async def know(
        self, *persons: PersonCard, purposes: tuple[Purpose, ...] = (Purpose.OFFERS,)
    ) -> None:
        await self.rig.publish(PersonChangedV1(items=persons))
        await self.permit([person.person_id for person in persons], purposes=purposes)
        await self.rig.drain()

    async def permit(
        self,
        persons: list[UUID],
        *,
        state: str = "granted",
        version: int = 1,
        purposes: tuple[Purpose, ...] = (Purpose.OFFERS,),
        at: datetime | None = None,
    ) -> None:
        await self.rig.publish(
            PermissionChangedV1(
                items=tuple(
                    PermissionEntry(
                        person_id=person,
                        channel=Channel.EMAIL,
                        purpose=purpose,
                        state=state,
                        version=version,
                        ledger_id=new_id(),
                        occurred_at=at or self.rig.clock.now() - timedelta(days=1),
                    )
                    for person in persons
                    for purpose in purposes
                )
            )
        )

    def launch(self, persons: list[UUID], **changes: Any) -> PieceReleasedV1:
        values: dict[str, Any] = {
            "campaign_id": new_id(),
            "campaign_name": "Vår",
            "launch_id": new_id(),
            "cell_id": new_id(),
            "key_code": "A1",
            "cell_name": "A",
            "segment_id": self.segment_id,
            "segment_name": "Lampekjøpere",
            "channel": Channel.EMAIL,
            "purpose": Purpose.OFFERS,
            "template_id": self.template_id,
            "offer": OfferCard(
                offer_id=new_id(),
                product_id=new_id(),
                name="Lampe Æø",
                price_minor=49900,
                currency="NOK",
            ),
            "items": tuple(
                Piece(
                    piece_id=new_id(),
                    person_id=person,
                    response_code=f"C0DE{n:04d}",
                    because=("kjøpte lampe",),
                )
                for n, person in enumerate(persons)
            ),
        }
        return PieceReleasedV1(**(values | changes))

    async def rows(self, state: str | None = None) -> list[Any]:
        pool = await self.rig.service.database.pool()
        return list(
            await pool.fetch(
                "SELECT * FROM dispatch WHERE $1::text IS NULL OR state = $1 ORDER BY id", state
            )
        )

    async def until_ended(self, count: int = 1) -> list[Any]:
        """Wait until that many messages have ended, and return them."""

        async def ended() -> list[Any]:
            rows = [row for row in await self.rows() if row["settled_at"] and row["is_announced"]]
            return rows if len(rows) >= count else []

        found: list[Any] = await eventually(ended, message=f"{count} messages did not end")
        return found

    async def until(self, state: str, count: int = 1) -> list[Any]:
        """Wait until that many messages stand in a state, and return them."""

        async def there() -> list[Any]:
            rows = await self.rows(state)
            return rows if len(rows) >= count else []

        found: list[Any] = await eventually(
            there, message=f"{count} messages did not become {state}"
        )
        return found

    @staticmethod
    def person(n: int = 0, **changes: Any) -> PersonCard:
        return make_person(n, **changes)

    def mails(self) -> list[Any]:
        return [
            message_from_string(record["message"], policy=policy.default)
            for record in self.sink.messages
        ]


def make_person(n: int = 0, **changes: Any) -> PersonCard:
    values: dict[str, Any] = {
        "person_id": new_id(),
        "version": 1,
        "preferred_name": f"Kari{n}" if n % 2 == 0 else "",
        "full_name": f"Kari Nordmann {n}",
        "language": Language.NB,
        "email": f"kari{n}@kunde.example",
    }
    return PersonCard(**(values | changes))


@asynccontextmanager
async def _hands(house: House, count: int) -> AsyncIterator[list[tuple[Ledger, MailCarrier]]]:
    """Open so many hands on the ledger, without a mail server: the test is what hands over and what answers."""
    service = house.rig.service
    settings = service.settings.model_copy(update={"sender_batch": 7})
    mails = MailCarrier(settings)
    async with asyncio.TaskGroup() as group:
        hands = []
        for number in range(count):
            folder = service.settings.data_dir / str(number)
            folder.mkdir()
            guard = Guard(service.scope, folder)
            await guard.look()
            hands.append(Ledger(service.scope, settings, guard))
        writers = [group.create_task(hand.run()) for hand in hands]
        yield [(hand, mails) for hand in hands]
        for writer in writers:
            writer.cancel()


@pytest.fixture
def open_hands():
    """Open hands on the ledger of a house that has no mail server."""
    return _hands


@pytest.fixture
def open_house(sink, rig_for):
    """Open a house with settings of its own."""

    async def make(**settings: Any) -> House:
        values = {
            "smtp_host": "127.0.0.1", "smtp_port": sink.port, "company": "Lys AS",
            "mail_from": "Lys AS <post@lys.example>",
        }  # fmt: skip
        return House(await rig_for(SPEC, settings={"messaging": values | settings}), sink)

    return make


@pytest.fixture
async def house(open_house) -> House:
    return await open_house()
