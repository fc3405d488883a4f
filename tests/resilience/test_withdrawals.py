"""People say no while they are being mailed: none is mailed after the answer, with senders that die and no broker."""

import asyncio
import json
import random
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from mail_house import place_in

from contacts_svc.main import SPEC as CONTACTS
from kantis_contracts.campaign import Piece, PieceReleasedV1
from kantis_contracts.contacts import (
    PermissionChangedV1,
    PermissionEntry,
    PersonCard,
    PersonChangedV1,
)
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit import failpoints
from kantis_kit.auth.links import LinkSigner
from kantis_kit.clock import FrozenClock
from kantis_kit.failpoints import FailPointHit
from kantis_kit.ids import new_id
from kantis_kit.testing.rig import LINK_KEYS, Rig
from kantis_kit.testing.smtp import Fault, SmtpSink
from kantis_kit.testing.waiting import eventually
from messaging_svc.links import Unsubscribe, pack_unsubscribe
from messaging_svc.main import SPEC as MESSAGING

SEED = 20_261_122
SENDER = """
import asyncio, json, sys
from kantis_kit.service import Service
from messaging_svc.dispatch.mail import send_loop
from messaging_svc.main import SPEC
from messaging_svc.settings import MessagingSettings
asyncio.run(send_loop(Service(SPEC, MessagingSettings(**json.loads(sys.argv[1])))))
"""
CONCURRENCY = 4
SIGNER = LinkSigner.from_text(LINK_KEYS)
TEXTS = {"nb": {"subject": "Vår", "html": "<html><body><p>Hei</p></body></html>"}}


class Front(httpx.AsyncBaseTransport):
    """What stands before the services: each path goes to its own."""

    def __init__(self, rig: Rig) -> None:
        self._ways = {
            prefix: httpx.ASGITransport(app=rig.services[name].asgi)
            for prefix, name in (("/u", "messaging"), ("/p", "contacts"))
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._ways[request.url.path[:2]].handle_async_request(request)


@dataclass
class Leaving:
    """Somebody who says no, in one of the ways there are, and when that was answered."""

    person_id: UUID
    email: str
    way: str
    answered_at: datetime | None = None


@dataclass
class Mailing:
    """A launch that is being sent, and the hand that kills its sender and takes the broker away."""

    rig: Rig
    sink: SmtpSink
    server: Any
    rabbit: Any = None
    sender: asyncio.subprocess.Process | None = None
    kills: int = 0
    answered_without_broker: int = 0
    is_broker_away: bool = False
    people: list[PersonCard] = field(default_factory=list)

    async def start_sender(self) -> None:
        settings = {
            "postgres_dsn": self.rig.dsns["messaging"], "keys_dir": str(self.rig.keys_dir), "link_keys": LINK_KEYS,
            "data_dir": str(self.rig.data_dir), "smtp_host": "127.0.0.1", "smtp_port": self.sink.port,
            "sender_lease_seconds": 1, "sender_concurrency": CONCURRENCY, "sender_batch": 50,
            "broker_url": "postgresql://", "public_url": "http://kantis.test", "mail_from": "post@lys.example",
        }  # fmt: skip
        self.sender = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SENDER, json.dumps(settings)
        )

    async def end_sender(self) -> None:
        if self.sender is not None and self.sender.returncode is None:
            self.sender.kill()
            await self.sender.wait()

    async def kill_sender(self) -> None:
        await self.end_sender()
        self.kills += 1
        await self.start_sender()

    async def set_broker(self, *, away: bool) -> None:
        if away == self.is_broker_away:
            return
        self.is_broker_away = away
        if self.rabbit is not None:
            await asyncio.to_thread(self.rabbit.stop_app if away else self.rabbit.start_app)
            if not away:
                broker = self.rig.broker
                await eventually(lambda: broker.state == "up", message="RabbitMQ is not back")
            return
        url = self.rig.services["messaging"].settings.broker_url.get_secret_value()
        database = urlsplit(url).path.removeprefix("/")
        await self.server.execute(
            f"ALTER DATABASE {database} ALLOW_CONNECTIONS {'false' if away else 'true'}"
        )
        if away:
            await self.server.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
            )

    async def until_told(self) -> None:
        """Wait until all that was said without a broker has left; the half minute at most between two tries is skipped."""
        for name, service in self.rig.services.items():
            pool = await service.database.pool()
            await pool.execute("UPDATE outbox SET claimed_until = NULL, claimed_by = NULL")
            service.relay.wake_here()

            async def is_told(pool: Any = pool) -> bool:
                return not await pool.fetchval("SELECT count(*) FROM outbox")

            await eventually(is_told, message=f"events of {name} wait for the broker", within=240)

    async def say_no(self, browser: httpx.AsyncClient, one: Leaving) -> None:
        """Say it as a person would; the answer counts when the last page has come."""
        if one.way == "one_click":
            link = Unsubscribe(one.person_id, new_id(), Purpose.OFFERS)
            token = SIGNER.make("unsubscribe", pack_unsubscribe(link))
            answer = await browser.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
        else:
            token = SIGNER.make("preferences", one.person_id.bytes)
            page = await browser.get(f"/p/preferences/{token}")
            action = re.search('<form method="post" action="([^"]+)"', page.text)
            assert action is not None
            hidden = re.findall('type="hidden" name="([^"]+)" value="([^"]+)"', page.text)
            ticked = re.findall('name="([a-z.]+)" value="yes" checked', page.text)
            assert "email.offers" in ticked
            said = (
                dict(hidden)
                | {
                    "untick": {},
                    "everything": {"everything": "no"},
                    "pause": {"pause": "30"} | dict.fromkeys(ticked, "yes"),
                }[one.way]
            )
            answer = await browser.post(action[1], data=said)
        assert 200 == answer.status_code, answer.text
        one.answered_at = self.sink.clock.now()
        self.answered_without_broker += self.is_broker_away

    async def rows(self) -> list[Any]:
        pool = await self.rig.services["messaging"].database.pool()
        return list(await pool.fetch("SELECT * FROM dispatch"))

    async def have_begun(self) -> int:
        pool = await self.rig.services["messaging"].database.pool()
        count: int = await pool.fetchval("SELECT count(*) FROM dispatch WHERE attempts > 0")
        return count


async def prepare(rig: Rig, total: int, leaving: int) -> tuple[list[PersonCard], list[Leaving]]:
    """Make those who will leave where people are kept; of the others messaging-svc has the cards."""
    leavers = []
    ways = ("untick", "one_click", "everything", "pause")
    async with rig.client("contacts") as client:
        for number in range(leaving):
            email = f"leaving{number}@kunde.example"
            made = await client.post(
                "/v1/contacts", json={"full_name": f"Kari {number}", "email": email}
            )
            person_id = made.json()["id"]
            yes = await client.post(
                f"/v1/contacts/{person_id}/permissions",
                json={
                    "channel": "email", "purpose": "offers", "state": "granted", "source": "fair", "text_shown": "Ja",
                },
            )  # fmt: skip
            assert 201 == yes.status_code, yes.text
            leavers.append(Leaving(UUID(person_id), email, ways[number % len(ways)]))
    others = [
        PersonCard(
            person_id=new_id(), version=1, language=Language.NB, email=f"staying{n}@kunde.example"
        )
        for n in range(total - leaving)
    ]
    for start in range(0, len(others), 500):
        part = others[start : start + 500]
        await rig.publish(PersonChangedV1(items=tuple(part)))
        await rig.publish(
            PermissionChangedV1(
                items=tuple(
                    PermissionEntry(
                        person_id=one.person_id, channel=Channel.EMAIL, purpose=Purpose.OFFERS, state="granted",
                        version=1, ledger_id=new_id(), occurred_at=rig.clock.now(),
                    )
                    for one in part
                )
            )
        )  # fmt: skip
    await rig.drain()
    rig.clock.advance(timedelta(hours=1))
    return others, leavers


async def launch(rig: Rig, person_ids: list[UUID]) -> list[PieceReleasedV1]:
    """Return a launch to these people, in two waves of several events each."""
    async with rig.client("messaging") as client:
        made = await client.post("/v1/templates", json={"name": "Vår", "languages": TEXTS})
    shared: dict[str, Any] = {
        "campaign_id": new_id(), "campaign_name": "Vår", "launch_id": new_id(), "cell_id": new_id(), "key_code": "A1",
        "segment_id": new_id(), "channel": Channel.EMAIL, "purpose": Purpose.OFFERS,
        "template_id": UUID(made.json()["id"]),
    }  # fmt: skip
    pieces = [
        Piece(piece_id=new_id(), person_id=person_id, response_code=f"C0DE{number:04d}")
        for number, person_id in enumerate(person_ids)
    ]
    size = min(500, len(pieces) // 2)
    return [
        PieceReleasedV1(items=tuple(pieces[start : start + size]), **shared)
        for start in range(0, len(pieces), size)
    ]


async def play(
    mailing: Mailing,
    leavers: list[Leaving],
    released: list[PieceReleasedV1],
    *,
    total: int,
    kills: int,
) -> None:
    """Let them leave while the launch is sent, the sender dies, and the broker comes and goes."""
    rng = random.Random(SEED)
    # A server that takes a moment for each mail while people leave: the sending lasts for as long as they do.
    mailing.sink.faults.set("*", Fault(delay_at="data", delay_seconds=0.3))
    turns = len(leavers)
    deaths = {(turn + 1) * turns // (kills + 1) for turn in range(kills)}
    # Away for a while in the middle, and from there until the launch has ended: what is said then is known to nobody
    # but the sender for as long as there are mails to send.
    without_broker = {*range(turns // 4, turns // 2), *range(turns * 3 // 4, turns)}
    rest = list(leavers)
    # The second wave comes when half of them have left: however fast the sender is, it is not done before.
    half = len(released) // 2
    await mailing.rig.publish(*released[:half])
    await mailing.rig.drain()
    await mailing.start_sender()
    transport = Front(mailing.rig)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://kantis.test", follow_redirects=True
    ) as browser:
        for turn in range(turns):
            begun = (total - turns) * turn // (2 * turns)

            async def far_enough(begun: int = begun) -> bool:
                return await mailing.have_begun() >= begun

            await eventually(far_enough, message="the sending stands still", within=600)
            if turn in deaths:
                await mailing.kill_sender()
            await mailing.set_broker(away=turn in without_broker)
            if turn == turns // 2:
                await mailing.rig.publish(*released[half:])
            one = rest.pop(rng.randrange(len(rest)))
            await mailing.say_no(browser, one)
    mailing.sink.faults.clear()

    async def ended() -> bool:
        return all(row["settled_at"] for row in await mailing.rows())

    await eventually(ended, message="the launch did not end", within=900)
    await mailing.end_sender()
    await mailing.set_broker(away=False)
    await mailing.until_told()
    await mailing.rig.drain()


async def check(mailing: Mailing, leavers: list[Leaving], *, total: int) -> None:
    answered = {one.email: one.answered_at for one in leavers}
    late = [
        record["rcpt"]
        for record in mailing.sink.attempts
        if record["rcpt"] in answered
        and datetime.fromisoformat(record["t_data_start"]) > answered[record["rcpt"]]
    ]
    rows = await mailing.rows()
    rules = Counter(row["rule"] for row in rows if row["state"] == "suppressed")
    states = Counter(row["state"] for row in rows)
    mailed = Counter(record["rcpt"] for record in mailing.sink.messages)

    assert [] == late
    assert total == len(rows)
    assert {"accepted", "suppressed", "in_doubt"} >= set(states), states
    assert states["in_doubt"] <= mailing.kills * CONCURRENCY
    assert {1} == set(mailed.values())
    # The test bites: many noes came before their mails, in both their kinds, and many without a broker.
    assert len(leavers) // 5 <= sum(rules.values()) <= len(leavers)
    assert {"withdrawn", "paused"} <= set(rules), rules
    assert len(leavers) // 3 <= mailing.answered_without_broker

    # What was said where messages are sent is known where people are kept, whatever the broker did meanwhile.
    async with mailing.rig.client("contacts") as client:
        for one in leavers:
            allowed = (await client.get(f"/v1/contacts/{one.person_id}/permissions")).json()
            offers = {row["channel"]: row["state"] for row in allowed if row["purpose"] == "offers"}
            wishes = (await client.get(f"/v1/contacts/{one.person_id}/preferences")).json()
            assert ("granted" if one.way == "pause" else "withdrawn") == offers["email"], one
            assert (one.way == "pause") == (wishes["paused_until"] is not None), one
    assert [] == await mailing.rig.parked("contacts")
    assert [] == await mailing.rig.parked("messaging")


async def check_that_nothing_is_answered_before_its_commit(
    mailing: Mailing, one: PersonCard
) -> None:
    """Let the sender's side die before its commit: nobody is told that they are rid of us."""
    token = SIGNER.make(
        "unsubscribe", pack_unsubscribe(Unsubscribe(one.person_id, new_id(), Purpose.OFFERS))
    )
    transport = Front(mailing.rig)
    async with httpx.AsyncClient(transport=transport, base_url="http://kantis.test") as browser:

        async def say_no() -> int:
            said = {"List-Unsubscribe": "One-Click"}
            return (await browser.post(f"/u/{token}", data=said)).status_code

        failpoints.arm("tx.before_commit", "raise")
        try:
            died = await say_no()
        except FailPointHit:
            died = 500
        finally:
            failpoints.disarm_all()
        assert (500, 200) == (died, await say_no())


async def run(
    rig_for: Any, server: Any, *, total: int, leaving: int, kills: int, rabbit: Any = None
) -> None:
    async with SmtpSink() as sink:
        # Senders in processes of their own live by the machine's clock; ours stands shortly before it.
        clock = FrozenClock(sink.clock.now() - timedelta(hours=2))
        settings = {"messaging": {"smtp_host": ""}}
        rig = await rig_for(
            CONTACTS, MESSAGING, settings=settings, clock=clock, rabbit=await place_in(rabbit)
        )
        others, leavers = await prepare(rig, total, leaving)
        everybody = [one.person_id for one in others] + [one.person_id for one in leavers]
        random.Random(SEED).shuffle(everybody)
        released = await launch(rig, everybody)
        mailing = Mailing(rig, sink, server, rabbit)
        try:
            await play(mailing, leavers, released, total=total, kills=kills)
            await check(mailing, leavers, total=total)
            await check_that_nothing_is_answered_before_its_commit(mailing, others[0])
        finally:
            await mailing.set_broker(away=False)
            await mailing.end_sender()


async def test_nobody_is_mailed_after_their_no_was_answered(rig_for, postgres_server):
    await run(rig_for, postgres_server, total=160, leaving=20, kills=2)


@pytest.mark.slow
async def test_of_five_thousand_five_hundred_leave_and_the_sender_dies_ten_times(
    rig_for, postgres_server
):
    await run(rig_for, postgres_server, total=5_000, leaving=500, kills=10)


@pytest.mark.slow
@pytest.mark.rabbit
async def test_of_a_thousand_a_hundred_leave_and_the_sender_dies_ten_times_on_rabbitmq(
    rig_for, postgres_server, rabbit_to_break
):
    await run(rig_for, postgres_server, total=1_000, leaving=100, kills=10, rabbit=rabbit_to_break)
