"""From a row of a file to a draft of a person, or to a reason why not; pure, and run beside the event loop."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from contacts_svc.fields.errors import ValuesInvalid
from contacts_svc.fields.model import CustomField
from contacts_svc.fields.rules import MASK, MAX_TEXT, FieldKind
from contacts_svc.fields.usecases import check_values
from contacts_svc.imports import values
from contacts_svc.imports.columns import AS_OF, CUSTOM, FULL_YES, IGNORED, PERMISSION, kind_of
from contacts_svc.people.model import FREE_TEXT, Draft
from contacts_svc.people.rules import (
    Address,
    AddressInvalid,
    language_of,
    national_number_in,
    normalise_email,
    normalise_phone,
)
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.csv_rows import Record, unquoted

LIMITS: Mapping[str, int] = {"postal_code": 12, "city": 100, "note": 2_000}
LIMIT = 200
_FULL_NO = frozenset({"0", "no", "n", "nei", "nej", "ei", "e", "false", "usann", "falskt", "off"})
_BETWEEN = re.compile(r"[,;|]")
_COUNTRIES = {
    "norge": "NO",
    "noreg": "NO",
    "norway": "NO",
    "norja": "NO",
    "sverige": "SE",
    "sweden": "SE",
    "ruotsi": "SE",
    "danmark": "DK",
    "denmark": "DK",
    "tanska": "DK",
    "finland": "FI",
    "suomi": "FI",
}
_LANGUAGES = {
    "no": "nb",
    "nn": "nb",
    "nb-no": "nb",
    "norsk": "nb",
    "bokmål": "nb",
    "svenska": "sv",
    "svensk": "sv",
    "dansk": "da",
    "suomi": "fi",
    "finsk": "fi",
    "finska": "fi",
    "english": "en",
    "engelsk": "en",
    "engelska": "en",
}


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be taken."""

    number: int
    reason: str
    cells: list[str]


_EAST = timedelta(hours=14)
"""Where the day begins first: what is tomorrow here is today there."""
_FAR = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of a file become drafts."""

    encoding: str
    delimiter: str
    header: Sequence[str]
    mapping: Mapping[str, str]
    formats: Mapping[str, str]
    declared: Mapping[str, CustomField]
    country: str
    source: str
    as_of: datetime
    keeps: frozenset[str] = frozenset()
    """Fields in which what is known stays."""
    taken_at: datetime = _FAR
    """When the file was taken: no row tells of a later day."""


def kept_cells(cells: Sequence[str], width: int) -> list[str]:
    """Return what is kept of a row that is given back: shortened, and without identity numbers."""
    return [
        MASK
        if national_number_in(cell)
        else cell[:LIMIT].replace("\x00", "\N{REPLACEMENT CHARACTER}")
        for cell in cells[: width + 5]
    ]


class Refused(Exception):
    """A row that cannot be taken; the message says why."""


@dataclass(slots=True)
class Told:
    """What the cells of a row say, by what they are for."""

    fields: dict[str, str] = field(default_factory=dict)
    custom: dict[str, object] = field(default_factory=dict)
    granted: list[tuple[Channel, Purpose]] = field(default_factory=list)
    as_of: datetime | None = None


Judged = tuple[Draft, list[tuple[Channel, Purpose]], datetime]
"""A draft, what it grants, and when its row told the truth."""


def judge(record: Record, reading: Reading) -> Judged:
    """Return what a row says, the long way. Raises `Refused`."""
    if record.problem:
        raise Refused(record.problem)
    if len(record.cells) != len(reading.header):
        raise Refused(
            f"the row has {len(record.cells)} cells and the header {len(reading.header)}: cut off, or a delimiter in a value"
        )
    told = _sort(record, reading)
    fields = told.fields
    email, phone = fields.pop("email", ""), fields.pop("phone", "")
    _check_texts(fields)
    # What the row leaves to us fills gaps, and replaces nothing that is known.
    assumed = {name for name in ("country", "language", "source") if not fields.get(name)}
    home = country_of(fields.get("country", ""), reading.country)
    fields["country"] = home
    fields["language"] = read_language(fields.get("language", ""), home)
    fields["source"] = fields.get("source") or reading.source
    draft = Draft(
        fields,
        *_addresses(email, phone, home),
        row=record.number,
        custom=read_custom(told.custom, reading.declared),
        keeps=reading.keeps | assumed,
    )
    if not draft.has_name():
        raise Refused("there is no name")
    if not draft.addresses:
        raise Refused("there is neither an e-mail address nor a phone number")
    return draft, told.granted, told.as_of or reading.as_of


def _sort(record: Record, reading: Reading) -> Told:
    told = Told()
    for column, cell in zip(reading.header, record.cells, strict=True):
        name = reading.mapping.get(column, IGNORED)
        if name == IGNORED:
            continue
        value = unquoted(cell.strip()).strip()
        if value == "-":
            value = ""
        if name.startswith(PERMISSION):
            if value.casefold() in FULL_YES:
                _, channel, purpose = name.split(".")
                told.granted.append((Channel(channel), Purpose(purpose)))
        elif name.startswith(CUSTOM) or name == AS_OF:
            if value:
                put(told, name, value, column, reading)
        else:
            told.fields[name] = value
    return told


def put(told: Told, name: str, value: str, column: str, reading: Reading) -> None:
    """Read the cell of a declared field, or of the day of the row. Raises `Refused`."""
    kind = kind_of(name, reading.declared)
    form = reading.formats.get(column)
    if len(value) > MAX_TEXT or "\x00" in value:
        raise Refused(f"{name}: is longer than {MAX_TEXT} signs, or holds a NUL character")
    try:
        read = values.read(kind, values.Form(form) if form else None, value)
    except values.Unreadable as error:
        raise Refused(f"{name}: {error}") from error
    if name == AS_OF:
        day = date.fromisoformat(read)
        if day > (reading.taken_at + _EAST).date():
            raise Refused(
                f"{name}: {read} lies in the future; a row tells what was true when it was written"
            )
        told.as_of = min(datetime.combine(day, time(), UTC), reading.taken_at)
        return
    key = name.removeprefix(CUSTOM)
    told.custom[key] = _as_declared(kind, read, reading.declared[key])


def _as_declared(kind: str, value: str, field: CustomField) -> object:
    if kind == FieldKind.FLAG:
        folded = value.casefold()
        return "true" if folded in FULL_YES else "false" if folded in _FULL_NO else value
    if kind == FieldKind.CHOICE:
        return _choice(value, field)
    if kind == FieldKind.CHOICES:
        return [_choice(one.strip(), field) for one in _BETWEEN.split(value) if one.strip()]
    return value


def _choice(value: str, field: CustomField) -> str:
    """Return the key of a choice that is named by its key or by its title in any language."""
    for one in field.rules.get("choices") or ():
        names = (one["key"], *(one.get("titles") or {}).values())
        if value.casefold() in {name.casefold() for name in names}:
            return str(one["key"])
    return value


def read_custom(given: Mapping[str, object], declared: Mapping[str, CustomField]) -> dict[str, Any]:
    """Return the values of declared fields as they are kept. Raises `Refused`."""
    if not given:
        return {}
    try:
        return check_values(declared, given)
    except ValuesInvalid as error:
        raise Refused(error.detail) from error


def _check_texts(fields: Mapping[str, str]) -> None:
    for name, value in fields.items():
        if "\x00" in value:
            raise Refused(f"{name}: holds a NUL character")
        limit = LIMITS.get(name, LIMIT)
        if len(value) > limit:
            raise Refused(f"{name}: has {len(value)} signs, at most {limit} are kept")
        if value.startswith(("=", "@")):
            raise Refused(f"{name}: looks like a formula, not like a value")
        kind = national_number_in(value) if name in FREE_TEXT else None
        if kind:
            raise Refused(f"{name}: looks like a {kind}; such numbers are not kept here")


def country_of(given: str, fallback: str) -> str:
    """Return the code of a country by its code or name. Raises `Refused`."""
    if not given:
        return fallback
    found = _COUNTRIES.get(given.casefold(), given.upper())
    if len(found) != 2 or not found.isascii() or not found.isalpha():  # noqa: PLR2004 - ISO 3166-1 alpha-2
        raise Refused(f"country: {given[:40]!r} is not a country code of two letters")
    return found


def read_language(given: str, country: str) -> str:
    """Return the code of a language; without one, that of the country. Raises `Refused`."""
    if not given:
        return language_of(country).value
    found = _LANGUAGES.get(given.casefold(), given.casefold()[:2])
    if found not in set(Language):
        raise Refused(f"language: {given[:40]!r} is none of nb, sv, da, fi, en")
    return found


def _addresses(email: str, phone: str, country: str) -> tuple[Address | None, Address | None]:
    try:
        found_email = normalise_email(email) if email else None
    except AddressInvalid as error:
        raise Refused(f"email: {error}") from error
    try:
        found_phone = normalise_phone(phone, country) if phone else None
    except AddressInvalid as error:
        raise Refused(f"phone: {error}") from error
    return found_email, found_phone
