"""From a claimed row to a text message: the version's text, the offer, short links."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kantis_contracts.values import Language
from kantis_kit.tx import Tx
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.model import dispatch_source
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms import links
from messaging_svc.sms.counting import MOST_PARTS, count
from messaging_svc.sms.model import TextMessage, number_of
from messaging_svc.sms.texts import SmsText, compile_text
from messaging_svc.templates.blocks import known
from messaging_svc.templates.engine import FACT
from messaging_svc.templates.errors import CannotRender, Flaw
from messaging_svc.templates.model import template_version
from messaging_svc.templates.texts import greeting, price

PLAIN = "plain_text"
"""Name of the built-in message whose words stand in its facts."""
_HELD = 256
_FALLBACK = (Language.EN, Language.NB, Language.SV, Language.DA, Language.FI)


class Texts:
    """Writes text messages; holds the versions, cells and links of what is being sent."""

    def __init__(self, settings: MessagingSettings, *, report_url: str) -> None:
        self._settings = settings
        self._report_url = report_url
        self._base = settings.public_url.rstrip("/")
        self._versions: OrderedDict[UUID, dict[Language, SmsText]] = OrderedDict()
        self._offers: OrderedDict[UUID, Mapping[str, Any] | None] = OrderedDict()
        self._links: dict[UUID, Mapping[int, str]] = {}

    async def prepare(self, tx: Tx, items: Sequence[Item]) -> None:
        """Load texts and offers, and make the links: they stand before the message can arrive."""
        await self._load(tx, items)
        wanted = [(i.id, found.slots) for i in items if (found := self._text_of(i)) is not None]
        self._links |= await links.make(tx, wanted)

    async def _load(self, tx: Tx, items: Sequence[Item]) -> None:
        versions = {i.template_version_id for i in items if i.template_version_id}
        if missing := versions - self._versions.keys():
            found = await tx.execute(
                select(template_version.c.id, template_version.c.source).where(
                    template_version.c.id.in_(missing)
                )
            )
            for row in found:
                self._versions[row.id] = self._compiled(row.source)
        sources = {i.source_id for i in items if i.source_id}
        if missing := sources - self._offers.keys():
            found = await tx.execute(
                select(dispatch_source.c.id, dispatch_source.c.offer).where(
                    dispatch_source.c.id.in_(missing)
                )
            )
            for row in found:
                self._offers[row.id] = row.offer

    def _compiled(self, source: Mapping[str, Any]) -> dict[Language, SmsText]:
        ready = {}
        for name, written in source.items():
            if not written.get("text"):
                continue
            try:
                ready[Language(name)] = compile_text(
                    written["text"],
                    Language(name),
                    reply_number=self._settings.sms_reply_number,
                )
            except Flaw:
                continue  # whoever it is for gets another language, or learns that there is no text
        return ready

    def _text_of(self, item: Item) -> SmsText | None:
        if item.template_version_id is None:
            return None
        texts = self._versions.get(item.template_version_id) or {}
        language = self._language_of(item)
        return texts.get(language) if language else None

    def _language_of(self, item: Item) -> Language | None:
        texts = self._versions.get(item.template_version_id or item.id) or {}
        if item.language in texts:
            return Language(item.language)
        return next((one for one in _FALLBACK if one in texts), None)

    def forget_old(self) -> None:
        """Drop the oldest of what is held; only between batches."""
        for held in (self._versions, self._offers):
            while len(held) > _HELD:
                held.popitem(last=False)

    def write(self, item: Item, *, at: datetime) -> TextMessage:
        """Return the message.

        Raises:
            CannotRender: it cannot be made for this recipient.
        """
        held = self._links.pop(item.id, {})
        number = number_of(item.email)
        if number is None:
            raise CannotRender("the number is not one that a text message can be sent to")
        text = self._words(item, held)
        size = count(text)
        if size.segments > MOST_PARTS:
            raise CannotRender(f"the text has {size.segments} parts; {MOST_PARTS} are the most")
        return TextMessage(item.id, number, self._settings.sms_sender, text, self._report_url)

    def _words(self, item: Item, held: Mapping[int, str]) -> str:
        if item.builtin == PLAIN:
            return str(item.facts.get("text") or "")
        text, language = self._text_of(item), self._language_of(item)
        if text is None or language is None:
            raise CannotRender("the template has no text for text messages")
        short = {slot: f"{self._base}/s/{token}" for slot, token in held.items()}
        return text.render(self._fields(item, language), short)

    def _fields(self, item: Item, language: Language) -> dict[str, object]:
        offer = self._offers.get(item.source_id) if item.source_id else None
        return {
            "preferred_name": item.preferred_name.strip(),
            "greeting": greeting(language, item.preferred_name),
            "company": self._settings.company,
            "offer_name": str(offer["name"]) if offer else "",
            "offer_price": price(int(offer["price_minor"]), str(offer["currency"]), language)
            if offer
            else "",
            FACT: known(item.facts),
        }
