"""The templates of the console, and what they may use."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.console.assets import address_of
from gateway.console.navigation import NAVIGATION
from kantis_kit.money import in_words

_HERE = Path(__file__).parent
_ZONE = ZoneInfo("Europe/Oslo")
"""Of the moments that people read; all five countries but Finland share it."""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([_HERE / "templates", _HERE / "pages"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(moment=moment, day=day, money=money, percent=percent, number=number)
    environment.globals.update(asset=address_of, navigation=NAVIGATION)
    return environment


def render(template: str, **words: Any) -> str:
    """Return a template with its words filled in."""
    return _environment().get_template(template).render(**words)


def moment(text: str | datetime | None) -> str:
    """Return a moment of the API as people read it."""
    if not text:
        return "–"
    at = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return at.astimezone(UTC).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M")


def day(text: str | None) -> str:
    """Return the day of a moment."""
    return moment(text)[:10]


def money(amount_minor: int | None, currency: str, language: str) -> str:
    """Return an amount as it is written in a language."""
    return "–" if amount_minor is None else in_words(amount_minor, currency, language)


def number(value: float | None) -> str:
    """Return a number with its thousands apart."""
    return "–" if value is None else f"{value:,}".replace(",", "\N{NO-BREAK SPACE}")


def percent(share: float | None) -> str:
    """Return a share of one as per cent."""
    return "–" if share is None else f"{share * 100:.1f} %"
