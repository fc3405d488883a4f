"""From what a marketer writes to a text message: plain words, links as slots for short ones, and a way to say no."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kantis_contracts.values import Language
from messaging_svc.templates.engine import FIELDS, TAG, Sandbox, check_tags
from messaging_svc.templates.errors import CannotRender, Flaw

_URL = re.compile(r"https?://[^\s{}\"<>]+[^\s{}\"<>.,;:!?)']")
_STOP = re.compile(r"\b(?:STOPP?|LOPETA)\b")
_CALL = re.compile(r"\bgreeting\s*\(\s*\)")
_BY_REPLY: Mapping[Language, str] = {
    Language.NB: "Avslutt: STOPP til {number}",
    Language.SV: "Avsluta: STOPP till {number}",
    Language.DA: "Frameld: STOP til {number}",
    Language.FI: "Peru: LOPETA numeroon {number}",
    Language.EN: "Opt out: STOP to {number}",
}
_BY_LINK: Mapping[Language, str] = {
    Language.NB: "Avslutt: {{ unsubscribe_url }}",
    Language.SV: "Avsluta: {{ unsubscribe_url }}",
    Language.DA: "Frameld: {{ unsubscribe_url }}",
    Language.FI: "Peru: {{ unsubscribe_url }}",
    Language.EN: "Opt out: {{ unsubscribe_url }}",
}
_ADDRESSES = {
    "response_url": "response",
    "unsubscribe_url": "unsubscribe",
    "preferences_url": "preferences",
}
_NAME = "text.txt"


@dataclass(frozen=True, slots=True)
class Slot:
    """A link of a text: `fixed` leads to its target, the others to a page of the recipient's own."""

    kind: str
    target: str = ""


class SmsText:
    """A text message in one language, held in memory while it is sent."""

    def __init__(self, source: str, slots: tuple[Slot, ...]) -> None:
        self.slots = slots
        self._sandbox = Sandbox({_NAME: source})

    def render(self, fields: Mapping[str, object], links: Mapping[int, str]) -> str:
        """Return the message; `links` holds the short link of each slot.

        Raises:
            CannotRender: a field or a link is missing.
        """
        addresses = {}
        for position, slot in enumerate(self.slots):
            if position not in links:
                raise CannotRender("a short link was not made")
            name = {kind: field for field, kind in _ADDRESSES.items()}.get(slot.kind)
            addresses[name or f"link_{position}"] = links[position]
        return self._sandbox.render(_NAME, {**fields, **addresses}).strip()


def compile_text(source: str, language: Language, *, reply_number: str = "") -> SmsText:
    """Check a text and make it ready; one without a way to say no gets one.

    Raises:
        Flaw: with what is wrong, and how to mend it.
    """
    check_tags(source, FIELDS - {"contact_url"})  # who gets a text message answers it
    if not source.strip():
        raise Flaw("text: is empty")
    written = TAG.sub(lambda tag: _CALL.sub("greeting", tag[0]), source.strip())
    if "unsubscribe_url" not in written and not _STOP.search(written):
        by_reply = _BY_REPLY[language].format(number=reply_number)
        written = f"{written}\n{by_reply if reply_number else _BY_LINK[language]}"
    slots: list[Slot] = []

    def hold(found: re.Match[str]) -> str:
        slots.append(Slot("fixed", found[0]))
        return f"{{{{ link_{len(slots) - 1} }}}}"

    written = _URL.sub(hold, written)
    slots += [
        Slot(kind) for field, kind in _ADDRESSES.items() if re.search(rf"\b{field}\b", written)
    ]
    return SmsText(written, tuple(slots))
