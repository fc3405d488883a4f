"""Reading a register's file: whom each row names, as keyed hashes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from contacts_svc.imports.reading import open_sheet
from contacts_svc.people.rules import AddressInvalid, normalise_phone
from contacts_svc.permissions.hashes import doorstep, identity, keyed_hash
from contacts_svc.permissions.kinds import RegisterKind
from kantis_kit.csv_rows import read_records

CHUNK = 5_000


@dataclass(slots=True)
class Reader:
    """A register's file that is read chunk by chunk; counts what it has met."""

    path: Path
    key: bytes
    matches: str
    country: str
    mapping: Mapping[str, str]
    rows: int = 0
    refused: int = 0
    missing: list[str] = field(default_factory=list)
    """Columns that the mapping names and the file has not."""
    header: list[str] = field(default_factory=list)
    _records: Iterator[list[str]] | None = None
    _place: dict[str, int] = field(default_factory=dict)

    def open(self) -> None:
        """Read the header. Raises `Unreadable`."""
        sheet = open_sheet(self.path)
        self.header = sheet.header
        by_name = {name.casefold(): place for place, name in enumerate(sheet.header)}
        self.missing = [name for name in self.mapping.values() if name.casefold() not in by_name]
        self._place = {
            wanted: by_name[name.casefold()]
            for wanted, name in self.mapping.items()
            if name.casefold() in by_name
        }
        self._records = (
            [] if one.problem else one.cells
            for one in read_records(
                sheet.path,
                sheet.encoding,
                sheet.delimiter,
                offset=sheet.data_offset,
                number=sheet.header_row,
            )
            if one.problem or any(cell.strip() for cell in one.cells)
        )

    def next_hashes(self) -> list[bytes] | None:
        """Return the hashes of the next rows, each once; None at the end."""
        records = list(islice(self._records or iter(()), CHUNK))
        if not records:
            return None
        found = [self._spell(cells) for cells in records]
        self.rows += len(records)
        self.refused += sum(not text for text in found)
        return sorted({keyed_hash(self.key, text) for text in found if text})

    def _spell(self, cells: list[str]) -> str:
        held = {
            wanted: cells[place].strip() if place < len(cells) else ""
            for wanted, place in self._place.items()
        }
        if self.matches == RegisterKind.PHONE:
            try:
                return identity(*normalise_phone(held["phone"], self.country).key)
            except AddressInvalid:
                return ""
        name = held.get("name") or f"{held.get('given_name', '')} {held.get('family_name', '')}"
        return doorstep(name, held["street"], held["postal_code"])
