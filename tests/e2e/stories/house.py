"""The whole house in this process, and time that passes when the story says so.

Every service behind the gateway, on either broker; a mail server and a telephone company that remember. A story speaks
through the public API alone, with a key, as a company's own system does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from email import message_from_string, policy
from typing import Any

import httpx

from gateway.keys.usecases import create_key
from gateway.main import build_gateway
from gateway.upstreams.clients import Upstreams
from kantis.registry import ALL, GATEWAY, SERVICES, spec_of
from kantis_kit.ids import new_id
from kantis_kit.testing.http import HttpSink, json_answer
from kantis_kit.testing.rig import OpenRig, Rig
from kantis_kit.testing.smtp import SmtpSink
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Firefox/150.0"}
LIMITS = {"key_limit": "1000000/second", "ip_limit": "1000000/minute"}
"""A clock that stands gives no new allowance."""
CLIENT_ERROR = 400
_NEXT = {
    "campaign": "SELECT min(due_at) FROM programme_run WHERE due_at > $1",
    "contacts": "SELECT min(due_at) FROM segment_due WHERE due_at > $1",
}
"""What comes next by the clock alone, by service."""
_LEFT = {
    "campaign": "SELECT count(*) FROM programme_run WHERE due_at <= $1",
    "contacts": """
        SELECT (SELECT count(*) FROM segment_due WHERE due_at <= $1)
             + (SELECT count(*) FROM touched_person WHERE followed & 1 = 0)
             + (SELECT count(*) FROM segment_state s JOIN segment g ON g.id = s.segment_id
                WHERE g.is_active AND (s.built < s.wanted OR s.wanted = 0))
    """,
}
"""What is still to be done at this moment, by service: the rig sees timers and events only."""


_TOLD = "SELECT last_value FROM outbox_seq_seq"
_TIMED = """
SELECT EXISTS (SELECT FROM job WHERE next_at <= $1)
    OR EXISTS (SELECT FROM timer WHERE state = 'waiting' AND due_at <= $1)
"""
"""Also what another loop is at: it is done when that has committed."""


class House:
    """A running house and who works with it."""

    def __init__(self, rig: Rig, app: Any, key: str, mails: SmtpSink, telephone: HttpSink) -> None:
        self.rig, self.mails, self.telephone = rig, mails, telephone
        self._transport = httpx.ASGITransport(app=app, client=("192.0.2.1", 1234))
        self._key = key

    @property
    def now(self) -> datetime:
        """The moment at which the story stands."""
        return self.rig.clock.now()

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call the public API with the company's key; whatever is refused ends the story."""
        headers = {"Authorization": f"Bearer {self._key}", **more.pop("headers", {})}
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(new_id()))
        async with self._caller() as client:
            answer = await client.request(method, path, headers=headers, **more)
        assert answer.status_code < CLIENT_ERROR, f"{method} {path}: {answer.text}"
        return answer

    async def post(self, path: str, body: Any = None) -> Any:
        """Do something."""
        answer = await self.send("POST", path, json={} if body is None else body)
        return answer.json() if answer.content else None

    async def put(self, path: str, body: Any) -> Any:
        """Set something, whatever it was."""
        answer = await self.send("PUT", path, json=body, headers={"If-Match": "*"})
        return answer.json() if answer.content else None

    async def get(self, path: str, **parameters: Any) -> Any:
        """Read something."""
        return (await self.send("GET", path, params=parameters)).json()

    async def browse(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Do what a person's browser does, without a key; follows where it is sent on to."""
        answer = await self.knock(path, method, **more)
        assert answer.status_code < CLIENT_ERROR, f"{method} {path}: {answer.text}"
        return answer

    async def knock(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        """Do what a person's browser does, whatever is answered."""
        headers = {**BROWSER, **more.pop("headers", {})}
        async with self._caller(follow_redirects=True) as browser:
            return await browser.request(method, path, headers=headers, **more)

    def _caller(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport, base_url="http://kantis.test", timeout=60, **options
        )

    async def until(self, what: str, look: Any) -> Any:
        """Wait until a look, which reads the API, finds what it looks for."""
        return await eventually(look, message=what)

    async def rest(self) -> None:
        """Wait until nothing is left that the present moment lets happen."""

        async def nothing_is_left() -> bool:
            if await self._is_due():  # asked first, because it is answered sooner
                return False
            await self.rig.drain()
            return not await self._is_due()

        await eventually(nothing_is_left, message="the house did not come to rest")

    async def live(self, **span: float) -> None:
        """Let so much time pass, and everything be done in it when its moment comes."""
        end = self.now + timedelta(**span)
        while self.now < end:
            await self.rest()
            self.rig.clock.set(min(end, await self._next_moment() or end))
        await self.rest()

    async def on_day(self, day: date) -> None:
        """Let it be this hour of a day, and what the clock does about unpaid invoices on it be done.

        A day on which nothing is told costs no more than that look, which skips what other services do by the clock.
        """
        timers = self.rig.services["orders"].timers
        told = await self._ask("orders", _TOLD)
        self.rig.clock.advance(day - self.now.date())
        while await timers.step() or await self._ask("orders", _TIMED, self.now):
            continue
        if told != await self._ask("orders", _TOLD):
            await self.rest()

    async def next_moment(self) -> None:
        """Let time pass until something is due by the clock alone, and be done."""
        moment = await self._next_moment()
        assert moment is not None, "nothing will ever happen again"
        await self.live(seconds=(moment - self.now).total_seconds())

    async def _next_moment(self) -> datetime | None:
        due = [await self._ask(name, query, self.now) for name, query in _NEXT.items()]
        return min((one for one in due if one is not None), default=None)

    async def _is_due(self) -> bool:
        return any([await self._ask(name, query, self.now) for name, query in _LEFT.items()])

    async def _ask(self, service: str, query: str, *arguments: Any) -> Any:
        pool = await self.rig.services[service].database.pool()
        return await pool.fetchval(query, *arguments)

    def mails_to(self, address: str) -> list[str]:
        """Return what a person has read of the mails to an address, the oldest first."""
        return [read(mail["message"]) for mail in self.mails.messages if mail["rcpt"] == address]

    async def mail_to(self, address: str, word: str) -> str:
        """Return the newest mail to an address in which a word stands; waits for it."""

        def there() -> str | None:
            found = [mail for mail in self.mails_to(address) if word in mail]
            return found[-1] if found else None

        return await eventually(there, message=f"no mail to {address} says {word}")

    async def message(self, person_id: str, **wanted: Any) -> Any:
        """Return the newest message to a person of which this is true; waits for it."""

        async def there() -> Any:
            found = (await self.get("/v1/messages", person_id=person_id))["items"]
            meant = [one for one in found if wanted.items() <= one.items()]
            return meant[0] if meant else None

        return await eventually(there, message=f"no message to {person_id} is {wanted}")


def read(message: str) -> str:
    """Return what a person reads of a mail."""
    parsed = message_from_string(message, policy=policy.default)
    texts = [part for part in parsed.walk() if part.get_content_type() == "text/plain"]
    return "".join(part.get_content() for part in texts)


@asynccontextmanager
async def open_house(rig_for: OpenRig, *, rabbit: str = "") -> AsyncIterator[House]:
    """Open the house; with the address of an empty place in a RabbitMQ, on that."""
    taken = json_answer({"id": "s1", "status": "created"})
    async with SmtpSink() as mails, HttpSink(answer=lambda _: taken) as telephone:
        messaging = {
            "smtp_host": "127.0.0.1", "smtp_port": mails.port, "company": "Lys AS",
            "mail_from": "Lys AS <post@lys.example>", "letter_return_address": "Storgata 1, 0155 Oslo",
            "sms_provider": "46elks", "sms_url": telephone.url, "sms_user": "u", "sms_password": "p",
            "sms_sender": "Lys AS", "sms_webhook_secret": "a-long-secret-of-the-address",
            "permission_grace_seconds": 0.0,
        }  # fmt: skip
        started: dict[str, Any] = {}
        fronts: list[Any] = []

        def put_together(service: Any) -> None:
            started[service.spec.name] = service
            if service.spec.name == GATEWAY:
                fronts.append(
                    build_gateway(service, {name: started[name].asgi for name in SERVICES})
                )

        rig = await rig_for(
            *map(spec_of, ALL),
            settings={
                "messaging": messaging,
                "orders": {"agency_name": "Inkasso AS"},
                GATEWAY: LIMITS,
            },
            tweak=put_together,
            rabbit=rabbit,
        )
        gateway = rig.services[GATEWAY]
        async with write(gateway.scope, actor="story") as tx:
            _, key = await create_key(tx, "administrator", "A story")
        try:
            yield House(rig, fronts[0], key, mails, telephone)
        finally:
            await gateway.scope.extras[Upstreams].close()
