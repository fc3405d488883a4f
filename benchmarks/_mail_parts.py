"""The mail that is measured, and what its sending cannot do without: the wire alone, the rows alone, a signature."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from time import process_time
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from kantis_contracts.values import Language
from kantis_kit.clock import Clock, SystemClock
from kantis_kit.ids import new_id
from messaging_svc.dispatch.ledger import Ledger, Outcome
from messaging_svc.dispatch.letters import Item, Letters, Source
from messaging_svc.dispatch.mail import MailCarrier
from messaging_svc.dispatch.mime import Letterhead
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.sender import Desk
from messaging_svc.links import LinkMaker
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates.compiling import LanguageSource, compile_language
from messaging_svc.templates.rendering import Compiled
from messaging_svc.wire.connection import Parcel
from messaging_svc.wire.dkim import Signer

CONNECTIONS = 10
SIZE_BYTES = 15_500
LINK_KEYS = "1:" + "5a" * 32
SIGNATURES = 300


def texts() -> dict[str, str]:
    """Return a mail: 15.5 KB of HTML, ten tracked links, fields in twenty places."""
    links = "".join(
        f'<p>{{{{ greeting() }}}}, se <a href="https://shop.example/p/{n}?a=1&amp;b={n}">vare {n}</a></p>'
        for n in range(9)
    )
    fields = '<p>{{ offer_name }} {{ offer_price }} <a href="{{ response_url }}">Bestill</a></p>'
    filler = "<p>Mørke kvelder trenger gode lamper, og vi har plukket ut noen.</p>\n"
    body = links + fields
    body += filler * ((SIZE_BYTES - len(body.encode())) // len(filler.encode()))
    return {
        "subject": "{{ greeting() }}: {{ offer_name }}",
        "html": f"<html><body>{body}</body></html>",
        "text": "{{ greeting() }}, se {{ offer_name }} {{ offer_price }}: {{ response_url }}\n",
    }


def template() -> dict[str, Any]:
    """Return it as a compiled version."""
    return {"nb": compile_language(LanguageSource(**texts()), Language.NB).model_dump(mode="json")}


OFFER = {"offer_id": str(new_id()), "product_id": str(new_id()), "name": "Lampe Æø", "price_minor": 49900,
         "currency": "NOK"}  # fmt: skip


class Stock:
    """The desk of the bare pair: writes a mail whenever a connection takes one."""

    def __init__(self, letters: Letters, count: int, source_id: UUID, version_id: UUID) -> None:
        self._letters, self._left, self._open = letters, count, count
        self._source_id, self._version_id = source_id, version_id
        self._at = SystemClock().now()
        self.done = asyncio.Event()

    @property
    def left(self) -> int:
        """Return how many are not taken yet."""
        return self._left

    def take(self) -> Parcel | None:
        """Write the next one."""
        if not self._left:
            return None
        self._left -= 1
        message_id = new_id()
        item = Item(
            id=message_id, fence=1, claimed_until=self._at, attempts=0, origin="campaign", is_marketing=True,
            purpose="offers", person_id=message_id, source_id=self._source_id, response_code="K7QXM2",
            template_version_id=self._version_id, builtin="", facts={},
            rfc_message_id=f"<{message_id.hex}@lys.example>", email=f"kari{self._left}@kunde.example",
            language="nb", preferred_name=f"Kari {self._left}",
        )  # fmt: skip
        recipient, content = self._letters.write(item, at=self._at)
        return Parcel(self._letters.sender, recipient, content)

    def begins(self, _parcel: Parcel) -> bool:
        """Allow it."""
        return True

    @property
    def first(self) -> Parcel:
        """Write one that is not counted."""
        self._left += 1
        parcel = self.take()
        if parcel is None:
            raise ValueError
        return parcel

    def accepted(self, _parcel: Parcel, _answer: str) -> None:
        """Count it."""
        self._open -= 1
        if not self._open:
            self.done.set()

    def refused(self, _parcel: Parcel, refusal: Exception) -> None:
        """Fail."""
        raise refusal

    lost = refused

    def put_back(self, _parcel: Parcel) -> None:
        """Fail."""
        raise ConnectionError

    def fail(self, error: BaseException) -> None:
        """Fail."""
        raise error


class SameAgain(Stock):
    """The desk of the wire alone: every mail is the first one."""

    def __init__(self, stock: Stock) -> None:
        self.__dict__ |= stock.__dict__
        self._same = stock.first

    def take(self) -> Parcel | None:
        """Take it once more."""
        if not self._left:
            return None
        self._left -= 1
        same = self._same
        return Parcel(same.sender, same.recipient, same.content)


class RowsOnly:
    """The desk of the rows alone: what is handed over is accepted, in the same moment."""

    def __init__(self, ledger: Ledger, most: int) -> None:
        self._ledger, self._most = ledger, most

    async def run(
        self,
        queue: "asyncio.Queue[Item | None]",
        _stopping: asyncio.Event,
        taken: Callable[[], None],
    ) -> None:
        """Hand over as many together as the desk of mails does."""
        is_last = False
        while not is_last:
            items = [await queue.get()]
            while len(items) < self._most and not queue.empty():
                items.append(queue.get_nowait())
            is_last = None in items
            taken()
            mine = [one for one in items if one is not None]
            granted = await self._ledger.hand_over_all(mine) if mine else ()
            for one in mine:
                if one.id in granted:
                    self._ledger.record(Outcome(one.id, one.fence, State.ACCEPTED.value))

    def ahead(self) -> Collection[UUID]:
        """Keep nothing back."""
        return ()

    def take_back(self, _sources: Collection[UUID]) -> None:
        """Have nothing."""

    async def urge(self, _items: Sequence[Item]) -> bool:
        """Know no hurry."""
        return False

    def close(self, *, all_is_told: bool) -> None:
        """Hold nothing."""


class RowsCarrier(MailCarrier):
    """Mails that are not written and do not leave."""

    def __init__(self, settings: MessagingSettings) -> None:
        super().__init__(settings)
        self._most = settings.sender_ahead // 2

    def desk(self, ledger: Ledger, clock: Clock) -> Desk:  # type: ignore[override]  # another kind of desk
        """Return the desk of the rows alone."""
        del clock
        return RowsOnly(ledger, self._most)


def own_settings(port: int, **more: Any) -> MessagingSettings:
    """Return the settings of a sender to that port."""
    return MessagingSettings(
        smtp_host="127.0.0.1", smtp_port=port, link_keys=SecretStr(LINK_KEYS), mail_from="Lys AS <post@lys.example>",
        company="Lys AS", public_url="https://lys.example", sender_concurrency=CONNECTIONS, **more,
    )  # fmt: skip


def stock_of(mails: int) -> Stock:
    """Return a stock of mails that no ledger knows."""
    settings = own_settings(0)
    head = Letterhead(settings.mail_from, settings.company)
    letters = Letters(head, LinkMaker.from_settings(settings))
    source_id, version_id = new_id(), new_id()
    letters.hold(version_id, Compiled.from_json(template()))
    letters.hold_source(source_id, Source(OFFER, "offers"))
    return Stock(letters, mails, source_id, version_id)


def signing() -> float:
    """Return the processor microseconds of a signature, with a key of 2,048 bits."""
    signer = Signer("lys.example", "k1", rsa.generate_private_key(65_537, 2_048))
    content = stock_of(1).first.content
    used = process_time()
    for _ in range(SIGNATURES):
        signer.sign(content)
    return (process_time() - used) / SIGNATURES * 1e6
