"""What a place shows: HTML without anything that could act on a page, its fields filled in for who looks at it."""

import re
from collections.abc import Mapping

import nh3

from messaging_svc.templates.engine import TAG, Sandbox, check_tags
from messaging_svc.templates.errors import Flaw
from messaging_svc.web.schemas import AudienceKind

_PERSON = frozenset({"preferred_name", "greeting"})
FIELDS: Mapping[AudienceKind, frozenset[str]] = {
    AudienceKind.EVERYBODY: frozenset({"company", "language"}),
    AudienceKind.SEGMENT: frozenset({"company", "language"}) | _PERSON,
    AudienceKind.CAMPAIGN: frozenset({"company", "language"})
    | _PERSON
    | {"offer_name", "offer_price", "response_code", "response_url"},
}
"""What a text may name; what everybody sees names nobody, so that caches may keep it."""
_TAGS = nh3.ALLOWED_TAGS - {"link", "base"}
_ATTRIBUTES = {name: {*allowed} for name, allowed in nh3.ALLOWED_ATTRIBUTES.items()}
_ATTRIBUTES["*"] = {*_ATTRIBUTES.get("*", ()), "class", "lang", "title"}
_MARK = re.compile(r"kx(\d+)xk")
_CALL = re.compile(r"\bgreeting\s*\(\s*\)")
_FIELD = re.compile(r"\{\{-?\s*([\w.]+)\s*-?\}\}")
_ATTRIBUTE_VALUE = re.compile(r'=\s*"([^"]*)"')
_NAME = "content.html"


def compiled(source: str, audience: AudienceKind) -> str:
    """Check a text and make it safe; its fields stay as tags.

    Scripts, styles, frames, forms, handlers and addresses that are none are taken out. In an attribute stands a whole
    address of a field, or no field.

    Raises:
        Flaw: a tag is not known, or nothing is left of the text.
    """
    check_tags(source, FIELDS[audience])
    if _MARK.search(source):
        raise Flaw("words of the form kx1xk are used inside; write something else")
    kept: list[str] = []

    def hold(found: re.Match[str]) -> str:
        if found[0].startswith("{#"):
            return ""
        kept.append(_CALL.sub("greeting", found[0]))
        return f"kx{len(kept) - 1}xk"

    clean = nh3.clean(
        TAG.sub(hold, source),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"https", "http", "mailto", "tel"},
        link_rel="noopener",
    )
    for value in _ATTRIBUTE_VALUE.findall(clean):
        _check_attribute(value, kept)
    lost = {*range(len(kept))} - {int(number) for number in _MARK.findall(clean)}
    if lost:
        raise Flaw(
            f"{kept[min(lost)]} stands where nothing of a page is kept; put it into the text"
        )
    if not clean.strip():
        raise Flaw(
            "nothing is left of it but what a page must not hold, such as scripts and styles"
        )
    html = _MARK.sub(lambda found: kept[int(found[1])], clean)
    Sandbox({_NAME: html}).check(_NAME)
    return html


def _check_attribute(value: str, kept: list[str]) -> None:
    if not _MARK.search(value):
        return
    whole = _MARK.fullmatch(value)
    field = _FIELD.fullmatch(kept[int(whole[1])]) if whole else None
    if field is None or not field[1].endswith("_url"):
        raise Flaw("an attribute may hold {{ response_url }} alone, and no other field")


def filled(html: str, fields: Mapping[str, object]) -> str:
    """Return the text for somebody; what a field holds is escaped.

    Raises:
        CannotRender: a field is missing.
    """
    return Sandbox({_NAME: html}).render(_NAME, fields) if TAG.search(html) else html
