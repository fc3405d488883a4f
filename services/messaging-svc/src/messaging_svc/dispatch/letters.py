"""From a claimed row to the bytes of its mail: the version's template, the offer, the person's links."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Row, select

from kantis_contracts.values import Language, Purpose
from kantis_kit.tx import ReadTx
from messaging_svc.addresses import wire_address
from messaging_svc.dispatch.mime import BadHeader, Letterhead, Marketing, Thread, build
from messaging_svc.dispatch.model import dispatch_source
from messaging_svc.dispatch.segments import CompiledMail, compile_mail
from messaging_svc.links import TEST_PAGE, LinkMaker, Unsubscribe
from messaging_svc.templates.blocks import known, shown
from messaging_svc.templates.builtin import ANSWER, FACTS, builtin
from messaging_svc.templates.engine import FACT
from messaging_svc.templates.errors import CannotRender
from messaging_svc.templates.model import template_version
from messaging_svc.templates.rendering import Compiled, Letter
from messaging_svc.templates.texts import greeting, price
from messaging_svc.verp import ReturnPath

_VERSIONS_HELD = 64
_SOURCES_HELD = 1_024
_MAILS_HELD = 256
_OF_THE_LAUNCH = ("company", "offer_name", "offer_price", "language")
"""Fields that are the same for every recipient of a launch in one language."""
_OF_THE_PERSON = ("preferred_name", "greeting", "response_code", "response_url", "preferences_url")
"""Fields of a recipient that are words or addresses; the links of a mail are beside them."""


class Item(NamedTuple):
    """A claimed message with all that its mail needs; there is one of these for each, so it is made cheaply."""

    id: UUID
    fence: int
    claimed_until: datetime
    attempts: int
    origin: str
    is_marketing: bool
    purpose: str | None
    person_id: UUID | None
    source_id: UUID | None
    response_code: str
    template_version_id: UUID | None
    builtin: str
    facts: Mapping[str, Any]
    rfc_message_id: str
    email: str
    language: str
    preferred_name: str

    @classmethod
    def of(cls, row: Row[Any], *, email: str) -> "Item":
        """Return what is needed to write for a row of the ledger."""
        return cls(
            id=row.id,
            fence=row.fence,
            claimed_until=row.claimed_until,
            attempts=row.attempts,
            origin=row.origin,
            is_marketing=row.is_marketing,
            purpose=row.purpose,
            person_id=row.person_id,
            source_id=row.source_id,
            response_code=row.response_code,
            template_version_id=row.template_version_id,
            builtin=row.builtin,
            facts=orjson.loads(row.facts) if isinstance(row.facts, str) else row.facts,
            rfc_message_id=row.rfc_message_id,
            email=email,
            language=row.language,
            preferred_name=row.preferred_name,
        )

    @classmethod
    def first_of(cls, row: Row[Any]) -> "Item":
        """Return what the first columns of a row say, when they are these fields in their order: half the time of `of`."""
        return cls._make(row[:_FIELDS])

    @property
    def is_campaign_mail(self) -> bool:
        """Say whether the mail looks like marketing: real, or a test of it."""
        return self.is_marketing or self.origin == "test"


_FIELDS = len(Item._fields)


@dataclass(frozen=True, slots=True)
class Source:
    """What the sender needs to know of a launch's cell."""

    offer: Mapping[str, Any] | None
    list_name: str


@dataclass(frozen=True, slots=True)
class _LaunchMail:
    """A launch's mail in one language, compiled once."""

    mail: CompiledMail
    language: Language
    clicks: Sequence[str]
    """The fields of its tracked links, in the order of their positions."""


def _no(item: Item) -> Unsubscribe:
    return Unsubscribe(item.person_id, item.id, Purpose(item.purpose or Purpose.NEWSLETTER))


class Letters:
    """Writes mails; holds the versions and cells of what is being sent."""

    def __init__(
        self, head: Letterhead, links: LinkMaker, reply_path: ReturnPath | None = None
    ) -> None:
        self._head = head
        self._links = links
        self._reply_path = reply_path
        self._versions: OrderedDict[UUID, Compiled] = OrderedDict()
        self._sources: OrderedDict[UUID, Source] = OrderedDict()
        self._mails: OrderedDict[tuple[UUID | None, UUID | None, str], _LaunchMail | None] = (
            OrderedDict()
        )

    @property
    def sender(self) -> str:
        """Return the address of the envelope."""
        return self._head.address

    async def prepare(self, tx: ReadTx, items: Sequence[Item]) -> None:
        """Load what these messages need and is not held yet; both never change once written."""
        versions = {
            i.template_version_id for i in items if i.template_version_id
        } - self._versions.keys()
        if versions:
            found = await tx.execute(
                select(template_version.c.id, template_version.c.compiled).where(
                    template_version.c.id.in_(versions)
                )
            )
            for row in found:
                self.hold(row.id, Compiled.from_json(row.compiled))
        sources = {i.source_id for i in items if i.source_id} - self._sources.keys()
        if sources:
            found = await tx.execute(
                select(
                    dispatch_source.c.id, dispatch_source.c.offer, dispatch_source.c.purpose
                ).where(dispatch_source.c.id.in_(sources))
            )
            for row in found:
                self.hold_source(row.id, Source(row.offer, row.purpose))

    def hold(self, version_id: UUID, compiled: Compiled) -> None:
        """Have a version at hand."""
        self._versions[version_id] = compiled

    def hold_source(self, source_id: UUID, source: Source) -> None:
        """Have a launch's cell at hand."""
        self._sources[source_id] = source

    def forget_old(self) -> None:
        """Drop the oldest of what is held; only between batches, when nothing waits for it."""
        while len(self._versions) > _VERSIONS_HELD:
            self._versions.popitem(last=False)
        while len(self._sources) > _SOURCES_HELD:
            self._sources.popitem(last=False)

    def write(self, item: Item, *, at: datetime) -> tuple[str, bytes]:
        """Return the recipient's address on the wire, and the mail.

        Raises:
            CannotRender: the mail cannot be made for this recipient.
        """
        recipient = wire_address(item.email)
        if recipient is None:
            raise CannotRender("the address is not one that mail can be sent to")
        try:
            launch = self._launch_mail(item)
            if launch is not None:
                return recipient, self._write_fast(item, launch, recipient, at)
            return recipient, self._write_general(item, recipient, at)
        except BadHeader as error:
            raise CannotRender(str(error)) from error

    def _write_general(self, item: Item, recipient: str, at: datetime) -> bytes:
        compiled = self._template(item)
        language = compiled.language_for(item.language)
        unsubscribe = self._links.unsubscribe(_no(item))
        return build(
            self._head,
            to=recipient,
            reply_to=self._reply_to(item),
            thread=Thread(tuple(item.facts.get("references") or ()))
            if item.builtin == ANSWER
            else None,
            message_id=item.rfc_message_id,
            key=str(item.id),
            at=at,
            content=compiled.render(language, self._fields(item, compiled, language, unsubscribe)),
            language=language.value,
            marketing=Marketing(unsubscribe, self._list_name(item))
            if item.is_campaign_mail
            else None,
        )

    def _reply_to(self, item: Item) -> str:
        return (self._reply_path.of(item.id) or "") if self._reply_path else ""

    def _list_name(self, item: Item) -> str:
        source = self._sources.get(item.source_id) if item.source_id else None
        return source.list_name if source else "test"

    def _launch_mail(self, item: Item) -> "_LaunchMail | None":
        """Return the launch's mail in its form on the wire; None when the engine is needed for each recipient."""
        if item.source_id is None or not item.is_marketing or not item.response_code:
            return None
        key = (item.source_id, item.template_version_id, item.language)
        if key not in self._mails:
            while len(self._mails) >= _MAILS_HELD:
                self._mails.popitem(last=False)
            self._mails[key] = self._compile(item)
        return self._mails[key]

    def _compile(self, item: Item) -> "_LaunchMail | None":
        compiled = self._template(item)
        language = compiled.language_for(item.language)
        fields = self._fields(item, compiled, language, "")
        links = self._links
        clicks = [f"link_{position}" for position in range(len(compiled.links(language)))]
        heads = dict.fromkeys(clicks, links.click_head)
        heads |= {
            "open_url": links.opening_head,
            "unsubscribe_url": links.unsubscribe_head,
            "contact_url": links.contact_head,
        }
        mail = compile_mail(
            self._head,
            compiled,
            language,
            personal={*_OF_THE_PERSON, *heads},
            heads=heads,
            shared={name: str(fields[name]) for name in _OF_THE_LAUNCH},
            list_name=self._list_name(item),
        )
        return _LaunchMail(mail, language, clicks) if mail is not None else None

    def _write_fast(self, item: Item, launch: "_LaunchMail", recipient: str, at: datetime) -> bytes:
        links, mail = self._links, launch.mail
        name = item.preferred_name.strip()
        unsubscribe = links.unsubscribe_token(_no(item))
        fields = dict(
            zip(launch.clicks, links.tokens.clicks(item.id, len(launch.clicks)), strict=True)
        )
        fields["preferred_name"] = name
        fields["greeting"] = greeting(launch.language, name)
        fields["response_code"] = item.response_code
        fields["unsubscribe_url"] = unsubscribe
        if "response_url" in mail.fields:
            fields["response_url"] = links.response(item.response_code)
        if "preferences_url" in mail.fields:
            fields["preferences_url"] = links.preferences(item.person_id)
        if "open_url" in mail.fields:
            fields["open_url"] = links.tokens.make("o", item.id)
        if "contact_url" in mail.fields:
            fields["contact_url"] = links.tokens.make("m", item.id)
        return mail.write(
            fields,
            to=recipient,
            message_id=item.rfc_message_id,
            key=str(item.id),
            at=at,
            unsubscribe_url=links.unsubscribe_head + unsubscribe,
            reply_to=self._reply_to(item),
        )

    def _template(self, item: Item) -> Compiled:
        compiled = (
            builtin(item.builtin)
            if item.builtin
            else self._versions.get(item.template_version_id or item.id)
        )
        if compiled is None:
            raise CannotRender(f"there is no template {item.builtin or item.template_version_id}")
        return compiled

    def write_letter(self, item: Item) -> tuple[Language, Letter]:
        """Return what is printed for the recipient, and in which language.

        Raises:
            CannotRender: the letter cannot be made for this recipient.
        """
        compiled = self._template(item)
        language = compiled.language_for(item.language, "letter")
        return language, compiled.render_letter(
            language, self._fields(item, compiled, language, "")
        )

    def write_script(self, item: Item) -> tuple[Language, str]:
        """Return what a caller says to the recipient, and in which language.

        Raises:
            CannotRender: the template holds nothing to say.
        """
        compiled = self._template(item)
        language = compiled.language_for(item.language, "script")
        return language, compiled.render_script(
            language, self._fields(item, compiled, language, "")
        )

    def _fields(
        self, item: Item, compiled: Compiled, language: Language, unsubscribe: str
    ) -> dict[str, object]:
        fields: dict[str, object] = {
            "preferred_name": item.preferred_name.strip(),
            "greeting": greeting(language, item.preferred_name),
            "company": self._head.company,
            "contact_url": self._links.contact(item.id)
            if item.origin != "test"
            else self._links.click(item.id, TEST_PAGE),
        }
        if item.builtin:
            return fields | {name: str(item.facts.get(name) or "") for name in FACTS[item.builtin]}
        offer = self._offer(item)
        response_url = self._response(item)
        fields |= {
            "language": language.value,
            "response_code": item.response_code,
            **shown(item.facts, language, response_url=response_url),
            FACT: known(item.facts),
            "offer_name": str(offer["name"]) if offer else "",
            "offer_price": price(int(offer["price_minor"]), str(offer["currency"]), language)
            if offer
            else "",
            "response_url": response_url,
            "unsubscribe_url": unsubscribe,
            "preferences_url": self._links.preferences(item.person_id)
            if item.origin != "test"
            else self._links.click(item.id, TEST_PAGE),
            "open_url": self._links.opening(item.id),
        }
        clicks = self._links.clicks(item.id, len(compiled.links(language)))
        for position, click in enumerate(clicks):
            fields[f"link_{position}"] = click
        return fields

    def _response(self, item: Item) -> str:
        if item.origin == "test":
            return self._links.click(item.id, TEST_PAGE)
        return self._links.response(item.response_code) if item.response_code else self._links.base

    def _offer(self, item: Item) -> Mapping[str, Any] | None:
        if item.source_id:
            return self._sources[item.source_id].offer
        offer: Mapping[str, Any] | None = item.facts.get("offer")
        return offer
