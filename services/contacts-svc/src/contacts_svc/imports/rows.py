"""From a row of a file to a draft of a person, or to a reason why not; pure, and run beside the event loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from contacts_svc.imports.columns import FULL_YES, IGNORED, PERMISSION
from contacts_svc.imports.reading import Record, read_records
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

_LIMITS: Mapping[str, int] = {"postal_code": 12, "city": 100, "note": 2_000}
_LIMIT = 200
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
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


@dataclass(slots=True)
class Chunk:
    """The rows that share a transaction."""

    drafts: list[Draft] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    """The cells of each draft's row, to be given back when the register refuses it."""
    granted: list[list[tuple[Channel, Purpose]]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    end: int = 0
    number: int = 0
    is_last: bool = False


def quoted(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def unquoted(cell: str) -> str:
    """Undo `quoted`."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell


def read_chunk(
    path: Path,
    *,
    encoding: str,
    delimiter: str,
    header: Sequence[str],
    mapping: Mapping[str, str],
    country: str,
    source: str,
    offset: int,
    number: int,
    rows: int,
) -> Chunk:
    """Read up to `rows` rows from a checkpoint on and judge each by itself."""
    chunk = Chunk(end=offset, number=number, is_last=True)
    records = read_records(path, encoding, delimiter, offset=offset, number=number)
    read = 0
    for record in islice(records, rows):
        read += 1
        chunk.end, chunk.number = record.end, record.number
        if not record.problem and not any(cell.strip() for cell in record.cells):
            continue
        try:
            draft, granted = _judge(record, header, mapping, country, source)
        except _Refused as refusal:
            kept = [
                cell[:_LIMIT].replace("\x00", "\N{REPLACEMENT CHARACTER}")
                for cell in record.cells[: len(header) + 5]
            ]
            chunk.rejects.append(Reject(record.number, str(refusal), kept))
            continue
        chunk.drafts.append(draft)
        chunk.granted.append(granted)
        chunk.cells.append(record.cells)
    chunk.is_last = read < rows
    return chunk


class _Refused(Exception):
    pass


def _judge(
    record: Record, header: Sequence[str], mapping: Mapping[str, str], country: str, source: str
) -> tuple[Draft, list[tuple[Channel, Purpose]]]:
    if record.problem:
        raise _Refused(record.problem)
    if len(record.cells) != len(header):
        raise _Refused(
            f"the row has {len(record.cells)} cells and the header {len(header)}: cut off, or a delimiter in a value"
        )
    fields: dict[str, str] = {}
    granted = []
    for column, cell in zip(header, record.cells, strict=True):
        name = mapping.get(column, IGNORED)
        if name == IGNORED:
            continue
        value = unquoted(cell.strip()).strip()
        if name.startswith(PERMISSION):
            if value.casefold() in FULL_YES:
                _, channel, purpose = name.split(".")
                granted.append((Channel(channel), Purpose(purpose)))
            continue
        fields[name] = "" if value == "-" else value
    email, phone = fields.pop("email", ""), fields.pop("phone", "")
    _check_texts(fields)
    home = _country(fields.get("country", ""), country)
    fields["country"] = home
    fields["language"] = _language(fields.get("language", ""), home)
    fields["source"] = fields.get("source") or source
    draft = Draft(fields, *_addresses(email, phone, home), row=record.number)
    if not draft.has_name():
        raise _Refused("there is no name")
    if not draft.addresses:
        raise _Refused("there is neither an e-mail address nor a phone number")
    return draft, granted


def _check_texts(fields: Mapping[str, str]) -> None:
    for name, value in fields.items():
        if "\x00" in value:
            raise _Refused(f"{name}: holds a NUL character")
        limit = _LIMITS.get(name, _LIMIT)
        if len(value) > limit:
            raise _Refused(f"{name}: has {len(value)} signs, at most {limit} are kept")
        if value.startswith(("=", "@")):
            raise _Refused(f"{name}: looks like a formula, not like a value")
        kind = national_number_in(value) if name in FREE_TEXT else None
        if kind:
            raise _Refused(f"{name}: looks like a {kind}; such numbers are not kept here")


def _country(given: str, fallback: str) -> str:
    if not given:
        return fallback
    found = _COUNTRIES.get(given.casefold(), given.upper())
    if len(found) != 2 or not found.isascii() or not found.isalpha():  # noqa: PLR2004 - ISO 3166-1 alpha-2
        raise _Refused(f"country: {given[:40]!r} is not a country code of two letters")
    return found


def _language(given: str, country: str) -> str:
    if not given:
        return language_of(country).value
    found = _LANGUAGES.get(given.casefold(), given.casefold()[:2])
    if found not in set(Language):
        raise _Refused(f"language: {given[:40]!r} is none of nb, sv, da, fi, en")
    return found


def _addresses(email: str, phone: str, country: str) -> tuple[Address | None, Address | None]:
    try:
        found_email = normalise_email(email) if email else None
    except AddressInvalid as error:
        raise _Refused(f"email: {error}") from error
    try:
        found_phone = normalise_phone(phone, country) if phone else None
    except AddressInvalid as error:
        raise _Refused(f"phone: {error}") from error
    return found_email, found_phone
