"""The short way from a row to a draft, for rows in which nothing is unusual; whatever is, goes the long way in `rows`.

Says nothing that the long way would not say, and refuses nothing: a test compares the two. Most rows of most files are
plain, and the long way costs ten times as much.
"""

import re
from collections.abc import Callable, Sequence
from operator import itemgetter

from contacts_svc.imports.places import Places
from contacts_svc.imports.rows import (
    LIMIT,
    LIMITS,
    Judged,
    Reading,
    Refused,
    country_of,
    read_custom,
    read_language,
)
from contacts_svc.people.model import NAMES, Draft
from contacts_svc.people.plain import read_email, read_phone

_BETWEEN = "\x1f"
_UNUSUAL = re.compile(r"\x00|\d{6}|(?:^|\x1f)\s*['=@-]")
"""What may be a NUL, a national identity number, a quoted cell, a formula, or a dash for nothing."""
_ASSUMED = ("country", "language", "source")

Short = Callable[[Sequence[str], int], Judged | None]


def shortcut(reading: Reading) -> Short:
    """Return what reads the cells and the number of a plain row; it returns None for any other."""
    return _Shortcut(reading).read


class _Shortcut:
    def __init__(self, reading: Reading) -> None:
        self._places = places = Places.of(reading)
        self._reading = reading
        self._width = len(reading.header)
        self._names = [name for name, _ in places.texts]
        self._limits = [(name, LIMITS.get(name, LIMIT)) for name in self._names]
        self._shortest = min(limit for _, limit in self._limits)
        self._texts = _picker([place for _, place in places.texts])
        self._keeps = {
            flags: reading.keeps
            | {name for name, given in zip(_ASSUMED, flags, strict=True) if not given}
            for flags in [
                (one, two, three)
                for one in (True, False)
                for two in (True, False)
                for three in (True, False)
            ]
        }
        self._homes: dict[str, str] = {}
        self._languages: dict[tuple[str, str], str] = {}

    def read(self, cells: Sequence[str], number: int) -> Judged | None:
        if len(cells) != self._width:
            return None
        told = [cell.strip() for cell in self._texts(cells)]
        if _UNUSUAL.search(_BETWEEN.join(told)):
            return None
        fields = dict(zip(self._names, told, strict=True))
        if max(map(len, told)) > self._shortest and any(
            len(fields[name]) > limit for name, limit in self._limits
        ):
            return None
        try:
            return self._judge(fields, cells, number)
        except Refused:
            return None  # the long way says why

    def _judge(self, fields: dict[str, str], cells: Sequence[str], number: int) -> Judged | None:
        get = fields.get
        country, language, source = get("country", ""), get("language", ""), get("source", "")
        fields["country"] = home = self._home(country)
        fields["language"] = self._language(language, home)
        fields["source"] = source or self._reading.source
        places = self._places
        mail = cells[places.email].strip() if places.email is not None else ""
        phone = cells[places.phone].strip() if places.phone is not None else ""
        email = read_email(mail) if mail else None
        number_ = read_phone(phone, home) if phone else None
        is_plain = (email or not mail) and (number_ or not phone) and (email or number_)
        if not is_plain or not any(get(name) for name in NAMES):
            return None
        other = places.told(cells, self._reading)
        draft = Draft(
            fields,
            email,
            number_,
            row=number,
            custom=read_custom(other.custom, self._reading.declared) if other.custom else {},
            keeps=self._keeps[bool(country), bool(language), bool(source)],
        )
        return draft, places.granted(cells), other.as_of or self._reading.as_of

    def _home(self, given: str) -> str:
        home = self._homes.get(given)
        if home is None:
            home = self._homes[given] = country_of(given, self._reading.country)
        return home

    def _language(self, given: str, home: str) -> str:
        language = self._languages.get((given, home))
        if language is None:
            language = self._languages[given, home] = read_language(given, home)
        return language


def _picker(places: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: [cells[place] for place in places]


__all__ = ["Short", "shortcut"]
