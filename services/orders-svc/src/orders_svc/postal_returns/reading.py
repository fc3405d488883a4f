"""Read files of the post as their mapping says, line by line."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from kantis_contracts.orders import PostReason
from orders_svc.postal_returns.errors import FileUnreadable
from orders_svc.postal_returns.schemas import FIELDS, MappingIn, NewAddressIn, Place, PostIn

CSV_KIND = "csv"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: a piece, or what is wrong with it."""

    number: int
    piece: PostIn | None
    problem: str = ""


def read_lines(content: bytes, mapping: MappingIn) -> Iterator[Line]:
    """Yield the lines of a file.

    Raises:
        FileUnreadable: it is in another encoding, or has not the columns of the mapping.
    """
    try:
        text = content.decode(mapping.encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise FileUnreadable(
            f"byte {error.start}: the file is not {mapping.encoding}; declare windows-1252 in the mapping if it comes so"
        ) from error
    rows = enumerate(text.splitlines(), 1)
    header: list[str] = []
    if mapping.kind == CSV_KIND and mapping.has_header:
        header = _cells(next(rows, (1, ""))[1], mapping)
        for name in (one for one in FIELDS if one in mapping.fields):
            place = mapping.fields[name]
            if isinstance(place.column, str) and place.column not in header:
                raise FileUnreadable(
                    f"line 1: there is no column {place.column}, where the mapping looks for {name}"
                )
    for number, row in rows:
        if row.strip():
            yield _read(number, row, header, mapping)


def _cells(row: str, mapping: MappingIn) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([row], delimiter=mapping.delimiter), [])]


def _read(number: int, row: str, header: list[str], mapping: MappingIn) -> Line:
    cells = _cells(row, mapping) if mapping.kind == CSV_KIND else []
    found = {name: _value(place, row, cells, header) for name, place in mapping.fields.items()}
    try:
        reason = mapping.reasons.get(found["reason"]) or PostReason(found["reason"].lower())
    except ValueError:
        return Line(number, None, f"reason: {found['reason'] or 'nothing'} is not in the mapping")
    try:
        came_at = (
            datetime.strptime(found["came_at"], mapping.moment_format).replace(tzinfo=UTC)
            if found.get("came_at")
            else None
        )
    except ValueError:
        said = f"came_at: {found['came_at']} is not written as {mapping.moment_format}"
        return Line(number, None, said)
    home = {name: found.get(name, "") for name in ("street", "postal_code", "city")}
    country = {"country": found["country"]} if found.get("country") else {}
    try:
        address = NewAddressIn(**{**home, **country}) if all(home.values()) else None
        piece = PostIn(code=found["code"], reason=reason, came_at=came_at, new_address=address)
    except ValidationError as error:
        first = error.errors()[0]
        return Line(number, None, f"{first['loc'][-1]}: {first['msg']}")
    return Line(number, piece)


def _value(place: Place, row: str, cells: list[str], header: list[str]) -> str:
    if place.first is not None and place.last is not None:
        return row[place.first - 1 : place.last].strip()
    if isinstance(place.column, str) and place.column in header:
        index = header.index(place.column)
    else:
        index = int(str(place.column)) - 1 if str(place.column).isdigit() else -1
    return cells[index] if 0 <= index < len(cells) else ""
