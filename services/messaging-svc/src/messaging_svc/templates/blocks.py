"""Product and recommendation blocks: lists that a piece carries, as a template sees them.

A template goes through such a list with `{% for product in products %}` and names `product.name`, `product.price`,
`product.text`, `product.url` and `product.image_url`. A piece that carries none has empty lists.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from kantis_contracts.campaign import Piece, Step
from kantis_contracts.values import Language
from messaging_svc.templates.texts import price

LISTS = frozenset({"products", "recommendations"})
"""What a template can go through."""
ITEM = "product"
"""What one of a list is called there."""
ITEM_FIELDS = frozenset({"name", "price", "text", "url", "image_url"})
MAX_ITEMS = 12
"""Of a list; what a piece carries beyond is not shown."""
_MAX_CHARS = 500

Shown = list[dict[str, str]]


def facts_of(piece: Piece | Step) -> dict[str, Any]:
    """Return the lists that a piece carries, as its row keeps them; without any, nothing."""
    return {
        name: [one.model_dump(mode="json") for one in getattr(piece, name)[:MAX_ITEMS]]
        for name in sorted(LISTS)
        if getattr(piece, name)
    }


def known(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return what was known when a rule or a programme wrote, each fact on one line."""
    return {name: _line(value) for name, value in (facts.get("known") or {}).items()}


def shown(facts: Mapping[str, Any], language: Language, *, response_url: str) -> dict[str, Shown]:
    """Return the lists of a piece in the words of a language; an address that is none leads to the answer page."""
    return {name: _items(facts.get(name) or (), language, response_url) for name in LISTS}


def _items(items: Iterable[Mapping[str, Any]], language: Language, response_url: str) -> Shown:
    return [
        {
            "name": _line(item.get("name")),
            "text": _line(item.get("text")),
            "price": price(int(item["price_minor"]), str(item["currency"]), language)
            if item.get("price_minor") is not None
            else "",
            "url": _address(item.get("url")) or response_url,
            "image_url": _address(item.get("image_url")),
        }
        for item in list(items)[:MAX_ITEMS]
    ]


def _line(text: object) -> str:
    return " ".join(str(text or "").split())[:_MAX_CHARS]


def _address(text: object) -> str:
    address = str(text or "").strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("https", "http") and parts.hostname else ""
