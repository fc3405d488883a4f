"""What the tests of messaging-svc share: a mail server, people, templates and launches."""

import asyncio
import re
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


class ImapServer:
    """A mailbox that serves what the client of ours asks for, and breaks off where it is told to."""

    def __init__(self):
        self.mails, self.seen, self.moved, self.heard = {}, set(), {}, []
        self.validity, self.capabilities, self.breaks_at, self.is_refusing = (
            7,
            "IMAP4rev1",
            "",
            False,
        )

    async def serve(self, reader, writer):
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).decode():
            tag, _, command = line.strip().partition(" ")
            self.heard.append(command)
            if self.breaks_at and self.breaks_at in command:
                self.breaks_at = ""
                break
            for answer in self._answers(command):
                writer.write(answer)
            is_bad = self.is_refusing and command.startswith("LOGIN")
            writer.write(f"{tag} {'NO wrong' if is_bad else 'OK done'}\r\n".encode())
            if command.startswith("LOGOUT"):
                break
        writer.close()

    def _answers(self, command):
        if command.startswith("CAPABILITY"):
            return [f"* CAPABILITY {self.capabilities}\r\n".encode()]
        if command.startswith("SELECT"):
            return [b"* 1 EXISTS\r\n", f"* OK [UIDVALIDITY {self.validity}] ok\r\n".encode()]
        if command.startswith("UID SEARCH"):
            unread = " ".join(str(uid) for uid in self.mails if uid not in self.seen)
            return [f"* SEARCH {unread}\r\n".encode()]
        number = int(re.search(r"UID \w+ (\d+)", command)[1]) if command.startswith("UID") else 0
        if "RFC822.SIZE" in command:
            return [f"* 1 FETCH (UID {number} RFC822.SIZE {len(self.mails[number])})\r\n".encode()]
        if found := re.search(r"BODY.PEEK\[\]<(\d+)\.(\d+)>", command):
            at, length = int(found[1]), int(found[2])
            part = self.mails[number][at : at + length]
            head = f"* 1 FETCH (UID {number} BODY[]<{at}> {{{len(part)}}}\r\n".encode()
            return [head, part, b")\r\n"]
        if "STORE" in command and "Seen" in command:
            self.seen.add(number)
        elif "MOVE" in command or "COPY" in command:
            self.moved[number] = command.rpartition(" ")[2].strip('"')
        return []

    async def __aenter__(self):
        self.listener = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.listener.close()


@pytest.fixture
async def imap() -> AsyncIterator[ImapServer]:
    async with ImapServer() as server:
        yield server


@dataclass
class House:
    """A running messaging-svc with its mail server, and what other services would tell it."""

    rig: Any
    sink: SmtpSink
    template_id: UUID = field(default_factory=new_id)
    segment_id: UUID = field(default_factory=new_id)

    async def save_template(self, texts: Any = None, **changes: Any) -> UUID:
        body = {"name": "Lamper", "languages": texts or TEXTS} | changes
        async with self.rig.client(scopes=["messaging:write"]) as client:
            answer = await client.post("/v1/templates", json=body)
        assert answer.status_code == 201, answer.text
        self.template_id = UUID(answer.json()["id"])
        return self.template_id

    async def know(
        self, *persons: PersonCard, purposes: tuple[Purpose, ...] = (Purpose.OFFERS,)
    ) -> None:
        await self.rig.publish(PersonChangedV1(items=persons))
        if purposes:
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


def _mail(n, filler=b""):
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: bounces@lys.example\r\nMessage-ID: <{n}@mx>\r\nSubject: Undelivered\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    ).encode() + filler + (
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        b"Final-Recipient: rfc822; x@kunde.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )  # fmt: skip


@pytest.fixture
def bounced_mail():
    """Write a mail of a server that could not deliver."""
    return _mail
