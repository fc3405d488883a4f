"""messaging-svc in processes of its own, on either broker, with a mail server that remembers and campaigns to send."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from nursery import Mortal, Nursery, free_port

from kantis_contracts.campaign import LaunchHold, Piece, PieceReleasedV1
from kantis_contracts.contacts import (
    PermissionChangedV1,
    PermissionEntry,
    PersonCard,
    PersonChangedV1,
)
from kantis_contracts.messaging import MessageSettledV1
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.clock import FrozenClock
from kantis_kit.ids import new_id
from kantis_kit.testing.rabbit_server import RabbitServer
from kantis_kit.testing.rig import LINK_KEYS, OpenRig, Rig
from kantis_kit.testing.smtp import SmtpSink
from kantis_kit.testing.waiting import eventually
from messaging_svc.main import SPEC

CONCURRENCY = 4
LONG = 600
"""Seconds in which a campaign must end, however busy the machine."""
PART = 500
"""Pieces and cards in one event."""
TEXTS = {"nb": {"subject": "Vår", "html": "<html><body><p>Hei, {{ greeting() }}</p></body></html>"}}
SENDING = {
    "SMTP_HOST": "127.0.0.1",
    "SENDER_LEASE_SECONDS": "4",  # longer than a machine stands still: who lives keeps what it has
    "SENDER_CONCURRENCY": str(CONCURRENCY),
    "SENDER_BATCH": "100",
    "MAIL_FROM": "post@lys.example",
}


@dataclass
class MailHouse:
    """What a test of sending holds. The rig's own service answers the API and does nothing else."""

    rig: Rig
    sink: SmtpSink
    nursery: Nursery
    environment: dict[str, str]
    senders: list[Mortal] = field(default_factory=list)
    template_id: UUID = field(default_factory=new_id)
    known: int = 0

    # -- processes ---------------------------------------------------------------------------------------------------

    async def hire(self, **changes: str) -> Mortal:
        """Start a process of messaging-svc; `changes` are settings of its own."""
        environment = self.environment | {f"KANTIS_{key}": value for key, value in changes.items()}
        port = free_port({one.port for one in self.senders})
        one = Mortal(self.nursery, "messaging", port, environment, works=True)
        self.senders.append(one)
        await one.launch()
        return one

    @property
    def deaths(self) -> int:
        """How often a process was killed."""
        return sum(one.deaths for one in self.senders)

    async def kill_now_and_then(
        self, sender: Mortal, times: int, total: int, rng: random.Random
    ) -> None:
        """Kill a process after a number of mails, drawn anew each time, and start it again."""
        for turn in range(times):
            # Room for the deaths to come: the last ones meet mails too.
            least = len(self.sink.messages)
            wanted = least + rng.randrange(1, max(2, (total - least) // (times - turn + 1)))
            await self.until_delivered(min(wanted, total - 1))
            await sender.kill()
            await sender.launch()

    async def close(self) -> None:
        """End all processes."""
        for one in self.senders:
            if one.is_alive():
                os.kill(one.pid, signal.SIGCONT)
            await one.close()

    # -- what others say ---------------------------------------------------------------------------------------------

    async def people(self, count: int) -> list[UUID]:
        """Know that many more people who want offers; their addresses are numbered."""
        first, self.known = self.known, self.known + count
        cards = [
            PersonCard(
                person_id=new_id(), version=1, language=Language.NB, email=f"kari{n}@kunde.example",
                preferred_name=f"Kari{n}", phone=f"+4741{n:06d}",
            )
            for n in range(first, self.known)
        ]  # fmt: skip
        yes = [
            PermissionEntry(
                person_id=card.person_id, channel=channel, purpose=Purpose.OFFERS, state="granted", version=1,
                ledger_id=new_id(), occurred_at=self.rig.clock.now() - timedelta(days=1),
            )
            for card in cards
            for channel in (Channel.EMAIL, Channel.SMS)
        ]  # fmt: skip
        for start in range(0, len(yes), PART):
            if start < count:
                await self.rig.publish(PersonChangedV1(items=tuple(cards[start : start + PART])))
            await self.rig.publish(PermissionChangedV1(items=tuple(yes[start : start + PART])))
        return [card.person_id for card in cards]

    async def template(self) -> None:
        """Save what is sent."""
        async with self.rig.client() as client:
            answer = await client.post("/v1/templates", json={"name": "Vår", "languages": TEXTS})
        assert answer.status_code == 201, answer.text
        self.template_id = UUID(answer.json()["id"])

    def launch(self, persons: Sequence[UUID], **changes: Any) -> list[PieceReleasedV1]:
        """Return the events of a launch to these people."""
        shared: dict[str, Any] = {
            "campaign_id": new_id(), "campaign_name": "Vår", "launch_id": new_id(), "cell_id": new_id(),
            "key_code": "A1", "segment_id": new_id(), "channel": Channel.EMAIL, "purpose": Purpose.OFFERS,
            "template_id": self.template_id,
        } | changes  # fmt: skip
        pieces = [
            Piece(piece_id=new_id(), person_id=person, response_code=f"C0DE{number:04d}")
            for number, person in enumerate(persons)
        ]
        return [
            PieceReleasedV1(items=tuple(pieces[start : start + PART]), **shared)
            for start in range(0, len(pieces), PART)
        ]

    def hold(self, released: PieceReleasedV1, version: int) -> tuple[LaunchHold, ...]:
        """Return what a decision on a launch carries."""
        return (
            LaunchHold(
                launch_id=released.launch_id, campaign_id=released.campaign_id, version=version,
                reason="a person", decided_at=self.rig.clock.now(),
            ),
        )  # fmt: skip

    # -- what is there -----------------------------------------------------------------------------------------------

    async def ask(self, query: str, *arguments: object) -> list[Any]:
        """Ask the database."""
        pool = await self.rig.service.database.pool()
        return list(await pool.fetch(query, *arguments))

    async def states(self) -> Counter[str]:
        """Count the messages by state."""
        rows = await self.ask("SELECT state, count(*) AS n FROM dispatch GROUP BY state")
        return Counter({row["state"]: row["n"] for row in rows})

    async def until_delivered(self, count: int) -> None:
        """Wait until the mail server has taken so many."""
        await eventually(
            lambda: len(self.sink.messages) >= count,
            message=f"{count} mails did not come",
            within=LONG,
        )

    async def until_ended(self, total: int) -> Counter[str]:
        """Wait until so many messages have ended; return their states."""

        async def ended() -> Counter[str] | None:
            states = await self.states()
            open_ones = sum(states[one] for one in ("planned", "claimed", "handed_over"))
            return states if not open_ones and states.total() == total else None

        found: Counter[str] = await eventually(ended, message="the launch did not end", within=LONG)
        return found

    def check_once(self) -> None:
        """Nobody was mailed twice."""
        twice = {
            who: times
            for who, times in Counter(one["rcpt"] for one in self.sink.messages).items()
            if times > 1
        }
        assert {} == twice

    async def check_ledger(self, in_doubt_at_most: int) -> int:
        """Hold the ledger against the mail server: what it took is accepted or in doubt; return how many are in doubt."""
        self.check_once()
        rows = await self.ask("SELECT id, state FROM dispatch")
        delivered = {one["dispatch_key"] for one in self.sink.messages}
        accepted = {str(row["id"]) for row in rows if row["state"] == "accepted"}
        in_doubt = {str(row["id"]) for row in rows if row["state"] == "in_doubt"}
        assert accepted <= delivered, "a message is called accepted and was never taken"
        assert delivered <= accepted | in_doubt, "a message was taken and nobody knows"
        assert in_doubt_at_most >= len(in_doubt)
        assert in_doubt == await self.listed_in_doubt()
        return len(in_doubt)

    async def listed_in_doubt(self) -> set[str]:
        """Return what the API lists as in doubt."""
        found, cursor = set(), None
        async with self.client() as client:
            while True:
                wanted = {"limit": 100} | ({"cursor": cursor} if cursor else {})
                page = (await client.get("/v1/messages/in-doubt", params=wanted)).json()
                found |= {one["id"] for one in page["items"]}
                cursor = page["next_cursor"]
                if cursor is None:
                    return found

    async def settle_by_log(self) -> dict[str, int]:
        """Settle what is in doubt by what the mail server's log says of it; what it does not know is sent."""
        rows = await self.ask("SELECT id FROM dispatch WHERE state = 'in_doubt'")
        in_doubt = {str(row["id"]) for row in rows}
        lines = ["Nov 23 06:08:01 mx postfix/qmgr[7]: 0000000000: removed"]
        for number, one in enumerate(self.sink.messages):
            if one["dispatch_key"] not in in_doubt:
                continue
            queued = f"Nov 23 06:08:02 mx postfix/{{}}[7]: {number:010X}: "
            message_id = f"<{one['message_id'].strip('<>')}>"
            lines += [
                queued.format("cleanup") + f"message-id={message_id}",
                queued.format("qmgr") + "from=<post@lys.example>, size=1, nrcpt=1 (queue active)",
                queued.format("smtp") + f"to=<{one['rcpt']}>, status=sent (250 2.0.0 Ok)",
            ]
        if len(lines) == 1 and not in_doubt:
            return {"sent": 0, "not_sent": 0}  # a log that names no mail is refused
        async with self.client() as client:
            answer = await client.post(
                "/v1/messages/in-doubt/log", params={"is_complete": True}, content="\n".join(lines),
                headers={"Content-Type": "text/plain"},
            )  # fmt: skip
        assert answer.status_code == 200, answer.text
        told: dict[str, int] = answer.json()
        return told

    async def check_told(self, pieces: int) -> None:
        """The campaign was told of every piece that it was accepted, whatever was said before of it."""

        async def told() -> bool:
            # The senders are processes of their own: the rig's rest says nothing of what they have still to tell.
            await self.rig.drain()
            accepted = (one for one in self.rig.items(MessageSettledV1) if one.state == "accepted")
            return pieces == len({one.piece_id for one in accepted})

        await eventually(told, message=f"not all of {pieces} pieces were told as accepted")

    def client(self) -> Any:
        """Return a client of the API."""
        # Tokens live for minutes, and the test's clock stands: a new one stands where time has gone on to.
        clock = self.rig.clock
        clock.advance(self.sink.clock.now() - clock.now())
        return self.rig.client()


def tell(text: str) -> None:
    """Say what a run came to; `pytest -s` shows it."""
    sys.stdout.write(f"{text}\n")


async def place_in(rabbit: RabbitServer | None) -> str:
    """Return the address of an empty place in a RabbitMQ, or nothing: the embedded broker."""
    return await asyncio.to_thread(rabbit.virtual_host) if rabbit is not None else ""


@asynccontextmanager
async def mail_house(
    rig_for: OpenRig,
    nursery: Nursery,
    folder: Path,
    *,
    rabbit: RabbitServer | None = None,
    **settings: str,
) -> AsyncIterator[MailHouse]:
    """Open the house; on the embedded broker, or on a RabbitMQ."""
    async with SmtpSink(keep_messages=False) as sink:
        rig = await rig_for(
            SPEC, start=False, clock=FrozenClock(sink.clock.now()), rabbit=await place_in(rabbit)
        )
        service = rig.service
        given = SENDING | {"SMTP_PORT": str(sink.port)} | settings
        environment = {f"KANTIS_{key}": value for key, value in given.items()} | {
            "KANTIS_ENVIRONMENT": "test",
            "KANTIS_DATA_DIR": str(folder),
            "KANTIS_KEYS_DIR": str(rig.keys_dir),
            "KANTIS_BROKER_URL": service.settings.broker_url.get_secret_value(),
            "KANTIS_POSTGRES_DSN": rig.dsns["messaging"],
            "KANTIS_LINK_KEYS": LINK_KEYS,
            "KANTIS_PUBLIC_URL": "http://kantis.test",
        }
        house = MailHouse(rig, sink, nursery, environment)
        await service.start(worker=False)  # what it writes is published by the others at once
        try:
            await house.template()
            yield house
        finally:
            await house.close()
