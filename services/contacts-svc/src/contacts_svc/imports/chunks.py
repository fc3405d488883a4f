"""The rows of an import that share a transaction: read and judged, and written out for those who may be new."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from contacts_svc.imports.blocks import read_rows
from contacts_svc.imports.fresh import Fresh, Making
from contacts_svc.imports.quick import shortcut
from contacts_svc.imports.reading import Record
from contacts_svc.imports.rows import Reading, Refused, Reject, judge, kept_cells
from contacts_svc.people.model import Draft
from kantis_contracts.values import Channel, Purpose

Key = tuple[str, str]


@dataclass(slots=True)
class Chunk:
    """The rows that share a transaction."""

    start: int
    """The offset before the first row."""
    first: int
    """The number of the row before it."""
    fresh: Fresh
    drafts: list[Draft] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    """The cells of each draft's row, to be given back when the register refuses it."""
    granted: list[list[tuple[Channel, Purpose]]] = field(default_factory=list)
    as_of: list[datetime] = field(default_factory=list)
    """When each row told the truth."""
    rejects: list[Reject] = field(default_factory=list)
    owners: dict[Key, int] = field(default_factory=dict)
    """Of each address the first draft that has it."""
    shared: set[int] = field(default_factory=set)
    """Drafts that have an address in common with another of this chunk."""
    end: int = 0
    number: int = 0
    is_last: bool = False

    def part(self, indexes: list[int]) -> "Chunk":
        """Return the drafts of these indexes as a chunk of their own."""
        return Chunk(
            self.start,
            self.first,
            self.fresh,
            [self.drafts[index] for index in indexes],
            [self.cells[index] for index in indexes],
            [self.granted[index] for index in indexes],
            [self.as_of[index] for index in indexes],
        )

    def add(self, draft: Draft, cells: list[str]) -> None:
        """Add a draft, and note with whom it has an address in common."""
        index = len(self.drafts)
        for key in draft.keys:
            first = self.owners.setdefault(key, index)
            if first != index:
                self.shared.update((first, index))
        self.drafts.append(draft)
        self.cells.append(cells)


def read_chunk(
    path: Path, reading: Reading, making: Making, *, offset: int, number: int, rows: int
) -> Chunk:
    """Read up to `rows` rows from a checkpoint on and judge each by itself."""
    found = read_rows(
        path, reading.encoding, reading.delimiter, offset=offset, number=number, rows=rows
    )
    chunk = Chunk(
        offset,
        number,
        Fresh(making),
        end=found.end,
        number=number + len(found.rows),
        is_last=len(found.rows) < rows,
    )
    short = shortcut(reading)
    for at, row in enumerate(found.rows, number + 1):
        cells, problem = (row.cells, row.problem) if isinstance(row, Record) else (row, "")
        judged = None if problem else short(cells, at)
        if judged is None:
            if not problem and not any(cell.strip() for cell in cells):
                continue
            try:
                judged = judge(Record(at, cells, found.end, problem), reading)
            except Refused as refusal:
                kept = kept_cells(cells, len(reading.header))
                chunk.rejects.append(Reject(at, str(refusal), kept))
                continue
        draft, granted, as_of = judged
        chunk.add(draft, cells)
        chunk.granted.append(granted)
        chunk.as_of.append(as_of)
        chunk.fresh.add(draft, granted)
    return chunk


__all__ = ["Chunk", "read_chunk"]
