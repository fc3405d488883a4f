"""The short way from a row to a draft, for rows in which nothing is unusual; whatever is, goes the long way in `rows`.

Says nothing that the long way would not say, and refuses nothing: a test compares the two. Most rows of most files are
plain, and the long way costs ten times as much.
"""

import re
from collections.abc import Callable, Sequence
from operator import itemgetter

from contacts_svc.imports.columns import AS_OF, CUSTOM, FULL_YES, IGNORED, PERMISSION
from contacts_svc.imports.rows import (
    LIMIT,
    LIMITS,
    Judged,
    Reading,
    Refused,
    Told,
    country_of,
    put,
    read_custom,
    read_language,
    unquoted,
)
from contacts_svc.people.model import NAMES, Draft
from contacts_svc.people.plain import read_email, read_phone
from kantis_contracts.values import Channel, Purpose

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
        names = [reading.mapping.get(column, IGNORED) for column in reading.header]
        texts = [
            place
            for place, name in enumerate(names)
            if name not in (IGNORED, "email", "phone", AS_OF)
            and not name.startswith((PERMISSION, CUSTOM))
        ]
        self._reading = reading
        self._width = len(names)
        self._names = [names[place] for place in texts]
        self._limits = [(name, LIMITS.get(name, LIMIT)) for name in self._names]
        self._shortest = min(limit for _, limit in self._limits)
        self._texts = _picker(texts)
        self._email = names.index("email") if "email" in names else None
        self._phone = names.index("phone") if "phone" in names else None
        self._permissions = [
            (place, Channel(name.split(".")[1]), Purpose(name.split(".")[2]))
            for place, name in enumerate(names)
            if name.startswith(PERMISSION)
        ]
        self._others = [
            (place, name, column)
            for place, (name, column) in enumerate(zip(names, reading.header, strict=True))
            if name.startswith(CUSTOM) or name == AS_OF
        ]
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
        mail = cells[self._email].strip() if self._email is not None else ""
        phone = cells[self._phone].strip() if self._phone is not None else ""
        email = read_email(mail) if mail else None
        number_ = read_phone(phone, home) if phone else None
        is_plain = (email or not mail) and (number_ or not phone) and (email or number_)
        if not is_plain or not any(get(name) for name in NAMES):
            return None
        other = Told()
        for place, name, column in self._others:
            value = unquoted(cells[place].strip()).strip()
            if value and value != "-":
                put(other, name, value, column, self._reading)
        draft = Draft(
            fields,
            email,
            number_,
            row=number,
            custom=read_custom(other.custom, self._reading.declared) if other.custom else {},
            keeps=self._keeps[bool(country), bool(language), bool(source)],
        )
        return draft, self._granted(cells), other.as_of or self._reading.as_of

    def _granted(self, cells: Sequence[str]) -> list[tuple[Channel, Purpose]]:
        return [
            (channel, purpose)
            for place, channel, purpose in self._permissions
            if unquoted(cells[place].strip()).strip().casefold() in FULL_YES
        ]

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


__all__ = ["Short", "read_email", "read_phone", "shortcut"]
