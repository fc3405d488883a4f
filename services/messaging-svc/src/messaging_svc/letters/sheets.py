"""The words of a letter as the layout takes them: address, return mark, codes, text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import orjson
from babel.dates import format_date

from kantis_contracts.values import Language
from kantis_kit import barcodes
from messaging_svc.templates.rendering import Letter

_RETURN_DIGITS = 13


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes, and where what cannot be delivered goes."""

    company: str
    return_address: str
    """On one line."""
    country: str
    contact: str
    """The mail address to which people write."""
    track_agreement: str
    """Number of the agreement on electronic address updates with the Norwegian Post; empty: no such code."""
    track_grade: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where a letter goes."""

    name: str
    street: str
    postal_code: str
    city: str
    country: str

    def lines(self, sender_country: str, language: Language) -> list[str]:
        """Return the address as it is printed; abroad, its country stands below in the sender's tongue for the post."""
        place = f"{self.postal_code} {self.city}".strip()
        if self.country != sender_country:
            place = f"{self.country}-{place}"
        lines = [self.name, *self.street.splitlines(), place]
        if self.country != sender_country:
            lines.append(_words()[language]["countries"].get(self.country, self.country))
        return [line.strip() for line in lines if line.strip()]


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is printed for one person."""

    position: int
    address: Address
    language: Language
    letter: Letter
    response_code: str
    response_url: str
    return_code: str
    is_marketing: bool


@cache
def _words() -> Mapping[str, Mapping[str, Any]]:
    loaded: Mapping[str, Mapping[str, Any]] = orjson.loads(
        (files("messaging_svc.letters") / "words.json").read_bytes()
    )
    return loaded


def return_code(sender: Sender, country: str, batch: int, position: int) -> str:
    """Return what is printed as the return mark's bar code: batch and position, in 13 digits.

    In Norway, with an agreement on electronic address updates: `2`, agreement, grade, `0`, and those 13 digits.

    Source: bring.no, Elektronisk adresseoppdatering, read 2026.
    """
    own = f"{batch:07d}{position:06d}"[-_RETURN_DIGITS:]
    if country == "NO" and sender.track_agreement:
        return f"2{sender.track_agreement:0>4}{sender.track_grade}0{own}"
    return own


@lru_cache(maxsize=64)
def _day(day: date, language: Language) -> str:
    return str(format_date(day, format="long", locale=language.value))


def words_of(sheet: Sheet, sender: Sender, day: date) -> dict[str, Any]:
    """Return the data of one letter for the layout."""
    words = _words()[sheet.language]
    square, side = barcodes.square(sheet.response_url) if sheet.response_code else (None, 0)
    # A rule's letter asks for no response; the mark of its return names it as well.
    named = sheet.response_code or sheet.return_code
    return {
        "lang": sheet.language.value,
        "number": f"{sheet.position:06d}",
        "mark": f"{words['return']}: {sender.company}, {sender.return_address}"
        if sender.return_address
        else sender.company,
        "track": barcodes.bars(sheet.return_code),
        "to": sheet.address.lines(sender.country, sheet.language),
        "date": _day(day, sheet.language),
        "qr": square,
        "side": side,
        "bars": barcodes.bars(sheet.response_code) if sheet.response_code else None,
        "code": sheet.response_code,
        "subject": sheet.letter.subject,
        "blocks": sheet.letter.blocks,
        "footer": words["refuse"].format(contact=sender.contact, code=named)
        if sheet.is_marketing
        else sender.company,
    }
