"""The rows of an import that share a transaction: read and judged, and written out for those who may be new."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from contacts_svc.imports.blocks import read_rows
from contacts_svc.imports.fresh import Fresh, Making, Payloads
from contacts_svc.imports.plain import PlainRows
from contacts_svc.imports.quick import shortcut
from contacts_svc.imports.rows import Judged, Reading, Refused, Reject, judge, kept_cells
from contacts_svc.people.model import Draft
from kantis_contracts.values import Channel, Purpose
from kantis_kit.csv_rows import Record

Judge = Callable[[Sequence[str], int], Judged]
"""Reads the cells and the number of a row. Raises `Refused`."""


@dataclass(slots=True)
class Rows:
    """Rows and what they say."""

    drafts: list[Draft] = field(default_factory=list)
    cells: list[Sequence[str]] = field(default_factory=list)
    """The cells of each draft's row, to be given back when the register refuses it."""
    granted: list[list[tuple[Channel, Purpose]]] = field(default_factory=list)
    as_of: list[datetime] = field(default_factory=list)
    """When each row told the truth."""


@dataclass(slots=True)
class Chunk:
    """The rows that share a transaction."""

    start: int
    """The offset before the first row."""
    first: int
    """The number of the row before it."""
    judge: Judge
    fresh: Fresh
    """What is written of those who may be new; its order is that of `rows`."""
    ready: Payloads = field(init=False)
    """The same, put together for when the register knows none of them."""
    rows: list[tuple[int, Sequence[str]]] = field(default_factory=list)
    """Number and cells of each row that describes a person."""
    rejects: list[Reject] = field(default_factory=list)
    owners: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """By kind, of each address the first row that has it."""
    shared: set[int] = field(default_factory=set)
    """Rows that have an address in common with another of this chunk."""
    end: int = 0
    number: int = 0
    is_last: bool = False

    def part(self, indexes: Iterable[int]) -> Rows:
        """Return what these rows say, for those who need to know it row by row."""
        chosen = Rows()
        for number, cells in (self.rows[index] for index in indexes):
            draft, granted, as_of = self.judge(cells, number)
            chosen.drafts.append(draft)
            chosen.cells.append(cells)
            chosen.granted.append(granted)
            chosen.as_of.append(as_of)
        return chosen

    def claim(self, kind: str, values: Iterable[tuple[int, str]]) -> None:
        """Note which rows have which addresses, and which have one in common."""
        owners = self.owners[kind]
        for index, value in values:
            first = owners.setdefault(value, index)
            if first != index:
                self.shared.update((first, index))


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
        _judge_of(reading),
        Fresh(making),
        end=found.end,
        number=number + len(found.rows),
        is_last=len(found.rows) < rows,
    )
    width = len(reading.header)
    wide, rest = [], []
    for at, row in enumerate(found.rows, number + 1):
        if isinstance(row, Record) or len(row) != width:
            rest.append((at, row))
        else:
            wide.append((at, row))
    rest += _take_plain(chunk, reading, wide)
    for at, row in sorted(rest, key=lambda one: one[0]):
        _take(chunk, at, row, reading)
    chunk.ready = chunk.fresh.payloads(chunk.shared)
    return chunk


def _judge_of(reading: Reading) -> Judge:
    short = shortcut(reading)

    def read(cells: Sequence[str], number: int) -> Judged:
        return short(cells, number) or judge(Record(number, list(cells), 0), reading)

    return read


def _take_plain(
    chunk: Chunk, reading: Reading, rows: list[tuple[int, list[str]]]
) -> list[tuple[int, list[str]]]:
    """Take the rows in which nothing is unusual; return the others."""
    taken = PlainRows(reading).take([at for at, _ in rows], [row for _, row in rows], chunk.fresh)
    if len(taken.places) == len(rows):
        chunk.rows += rows
        left = []
    else:
        plain = set(taken.places)
        chunk.rows += [rows[place] for place in taken.places]
        left = [row for place, row in enumerate(rows) if place not in plain]
    for kind, values in (("email", taken.emails), ("phone", taken.phones)):
        chunk.claim(kind, ((index, value) for index, value in enumerate(values) if value))
    return left


def _take(chunk: Chunk, at: int, row: list[str] | Record, reading: Reading) -> None:
    cells, problem = (row.cells, row.problem) if isinstance(row, Record) else (row, "")
    if not problem and not any(cell.strip() for cell in cells):
        return
    try:
        draft, granted, _ = (
            judge(Record(at, cells, 0, problem), reading) if problem else chunk.judge(cells, at)
        )
    except Refused as refusal:
        chunk.rejects.append(Reject(at, str(refusal), kept_cells(cells, len(reading.header))))
        return
    index = len(chunk.rows)
    chunk.rows.append((at, cells))
    for kind, value in draft.keys:
        chunk.claim(kind, [(index, value)])
    chunk.fresh.add(draft, granted)


__all__ = ["Chunk", "Rows", "read_chunk"]
