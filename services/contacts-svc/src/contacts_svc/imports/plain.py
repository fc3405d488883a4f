"""Rows in which nothing is unusual, taken by the column: what holds for all of them is said once.

Most rows of most files are such, and one by one they cost three times as much. Says of each what `quick` and `Fresh.add`
would say, and leaves to them whatever is unusual: a test compares the two.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from typing import Any, TypeVar

from contacts_svc.imports.columnar import Block, Texts, is_full, listed, write_block
from contacts_svc.imports.fresh import Fresh
from contacts_svc.imports.places import Places
from contacts_svc.imports.rows import (
    LIMIT,
    LIMITS,
    Reading,
    Refused,
    country_of,
    read_custom,
    read_language,
)
from contacts_svc.people.model import NAMES
from contacts_svc.people.plain import plain_email, plain_phone

T = TypeVar("T")
_BETWEEN = "\x1f"
_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
"""What JSON or COPY would not take as it is."""
_DIGITS = re.compile(r"\d{6}")
"""What may be a national identity number."""
_LEADING = re.compile(rf"{_BETWEEN}\s*['=@-]")
"""What may be a quoted cell, a formula, or a dash for nothing."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The rows that were plain, by their places among those given, and their addresses ("" for none)."""

    places: list[int]
    emails: list[str]
    phones: list[str]


class PlainRows:
    """Takes the plain rows of a file."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._places = Places.of(reading)
        self._knows_more = bool(self._places.permissions or self._places.others)
        is_plain = not _ESCAPED.search(reading.source + reading.country)
        self._is_usual = bool(is_plain and reading.country)

    def take(self, numbers: list[int], rows: Sequence[Sequence[str]], fresh: Fresh) -> Taken:
        """Add to `fresh` whoever is described by the plain ones of these rows, which are as wide as the header."""
        if not rows or not self._is_usual:
            return Taken([], [], [])
        columns = list(zip(*rows, strict=True))
        block = Block(numbers)
        for name, place in self._places.texts:
            block.texts[name] = self._read_texts(block, name, columns[place])
        self._assume(block)
        self._read_addresses(block, columns)
        self._look_for_names(block)
        if self._knows_more:
            self._read_more(block, rows)
        places = list(range(len(rows)))
        if block.odd:
            plain = [place not in block.odd for place in places]
            block.leave(plain)
            places = list(compress(places, plain))
        if places:
            block.complete()
            write_block(block, fresh)
        return Taken(places, block.emails, block.phones)

    def _read_texts(self, block: Block, name: str, cells: Sequence[str]) -> list[str]:
        told = [cell.strip() for cell in cells]
        joined = _BETWEEN + _BETWEEN.join(told)
        if (
            joined.count(_BETWEEN) > len(told)
            or _ESCAPED.search(joined.replace(_BETWEEN, ""))
            or _DIGITS.search(joined)
            or _LEADING.search(joined)
        ):
            block.odd.update(
                place
                for place, cell in enumerate(told)
                if _ESCAPED.search(cell) or _DIGITS.search(cell) or _LEADING.match(_BETWEEN + cell)
            )
        limit = LIMITS.get(name, LIMIT)
        if max(map(len, told)) > limit:
            block.odd.update(place for place, cell in enumerate(told) if len(cell) > limit)
        return told

    def _assume(self, block: Block) -> None:
        """Read country, language and source; fill in what the rows leave to us."""
        texts, fallback = block.texts, self._reading.country
        homes = _each(block, texts.get("country", ""), lambda given: country_of(given, fallback))
        given = texts.get("language", "")
        if isinstance(homes, str):
            home = homes
            texts["language"] = _each(block, given, lambda one: read_language(one, home))
        else:
            spoken = repeat(given, len(homes)) if isinstance(given, str) else given
            pairs = list(zip(spoken, homes, strict=True))
            texts["language"] = _each(block, pairs, lambda pair: read_language(*pair))
        texts["country"] = homes
        sources = texts.get("source", "")
        if isinstance(sources, str):
            texts["source"] = self._reading.source
        else:
            assumed = self._reading.source
            texts["source"] = [source or assumed for source in sources]

    def _read_addresses(self, block: Block, columns: Sequence[Sequence[str]]) -> None:
        nobody = [""] * len(block.numbers)
        block.emails = block.emails_given = block.phones = block.phones_given = nobody
        if self._places.email is not None:
            given = block.emails_given = [cell.strip() for cell in columns[self._places.email]]
            block.emails = [plain_email(one) if one else "" for one in given]
            if given.count("") != block.emails.count(""):
                pairs = zip(given, block.emails, strict=True)
                block.odd.update(
                    place for place, (one, kept) in enumerate(pairs) if one and not kept
                )
        if self._places.phone is not None:
            given = block.phones_given = [cell.strip() for cell in columns[self._places.phone]]
            homes = listed(block.texts["country"], len(given))
            block.phones = [
                plain_phone(one, home) if one else ""
                for one, home in zip(given, homes, strict=True)
            ]
            if given.count("") != block.phones.count(""):
                pairs = zip(given, block.phones, strict=True)
                block.odd.update(
                    place for place, (one, kept) in enumerate(pairs) if one and not kept
                )
        both = enumerate(zip(block.emails, block.phones, strict=True))
        block.odd.update(place for place, (email, phone) in both if not email and not phone)

    def _look_for_names(self, block: Block) -> None:
        names = [block.texts[name] for name in NAMES if name in block.texts]
        if any(is_full(told) for told in names):
            return
        rows = len(block.numbers)
        called = map(any, zip(*(listed(told, rows) for told in [*names, ""]), strict=True))
        block.odd.update(place for place, is_called in enumerate(called) if not is_called)

    def _read_more(self, block: Block, rows: Sequence[Sequence[str]]) -> None:
        """Read permissions, declared fields, and the day of each row."""
        for place, cells in enumerate(rows):
            block.granted.append(self._places.granted(cells))
            custom: dict[str, Any] = {}
            try:
                told = self._places.told(cells, self._reading)
                if told.custom:
                    custom = read_custom(told.custom, self._reading.declared)
            except Refused:
                block.odd.add(place)  # the long way says why
            block.customs.append(custom)


def _each(block: Block, given: Sequence[T] | str, read: Callable[[Any], str]) -> Texts:
    """Read each of some texts, of which many are alike; a text that is refused makes its row odd."""
    if isinstance(given, str):
        return read(given)
    kept: dict[T, str] = {}
    for one in set(given):
        try:
            kept[one] = read(one)
        except Refused:
            block.odd.update(place for place, other in enumerate(given) if other == one)
            kept[one] = ""
    if len(set(kept.values())) == 1:
        return next(iter(kept.values()))
    return [kept[one] for one in given]


__all__ = ["PlainRows", "Taken"]
