"""Rows of CSV as people really send it: delimiters, broken rows, bytes of another encoding, files cut in the middle.

Cells that are written for people are read by spreadsheets, which must take none for a formula: `quoted`.

A file is read row by row from a byte offset, so that whoever takes it in goes on where they were, whatever happened
between.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

DELIMITERS = (";", ",", "\t", "|")
MAX_LINE_BYTES = 65_536
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\x00")


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the file. `problem` says why its cells cannot be used; `end` is the offset after it."""

    number: int
    cells: list[str]
    end: int
    problem: str = ""


def quoted(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, with the mark by which they take it for text.

    Source: OWASP, CSV Injection, 2026-11: cells that begin with = + - @, tab or carriage return are evaluated; | and % by
    some programs, and what begins with a sign that they pass over is judged by the next one.
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def unquoted(cell: str) -> str:
    """Undo `quoted`."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell


def find_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that cuts the first lines into the most columns, and into equally many."""

    def judge(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return (0, 0)
        width = widths[0] if widths else 0
        return (sum(1 for one in widths if one == width) * (width > 1), width)

    return max(DELIMITERS, key=judge)


def read_records(
    path: Path, encoding: str, delimiter: str, *, offset: int, number: int
) -> Iterator[Record]:
    """Yield the rows from a byte offset on; `number` is that of the row before.

    A row that cannot be read (bytes of another encoding, a quote that is never closed, a line without an end) is given
    with its problem, and reading goes on with the line after it.
    """
    with path.open("rb") as file:
        file.seek(offset)
        while True:
            number += 1
            record = read_one(file, encoding, delimiter, number)
            if record is None:
                return
            yield record


def read_one(file: BinaryIO, encoding: str, delimiter: str, number: int) -> Record | None:
    """Read the row at which the file stands; None at its end."""
    start = file.tell()
    first = file.readline(MAX_LINE_BYTES)
    if not first:
        return None
    after_first = file.tell()
    if not first.endswith(b"\n") and len(first) >= MAX_LINE_BYTES:
        return Record(
            number, [], _skip_line(file), f"the line is longer than {MAX_LINE_BYTES} bytes"
        )
    try:
        cells = _parse(file, first, encoding, delimiter)
    except UnicodeDecodeError as error:
        found = error.object[error.start]
        problem = f"byte {found:#04x} is not {encoding.upper()}"
        file.seek(after_first)
        return Record(
            number, [first.decode(encoding, errors="replace").rstrip("\r\n")], after_first, problem
        )
    except (csv.Error, _Endless) as error:
        # The row's first line alone is set aside, so that an open quote does not swallow the rows after it.
        file.seek(after_first)
        return Record(
            number,
            [first.decode(encoding, errors="replace").rstrip("\r\n")],
            after_first,
            f"{error}",
        )
    if file.tell() == start:
        return None
    return Record(number, cells, file.tell())


class _Endless(Exception):
    pass


def _parse(file: BinaryIO, first: bytes, encoding: str, delimiter: str) -> list[str]:
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        line = first
        while line:
            read += len(line)
            if read > MAX_LINE_BYTES:
                message = "a quote is opened and not closed"
                raise _Endless(message)
            yield line.decode(encoding)
            line = file.readline(MAX_LINE_BYTES)

    try:
        return next(csv.reader(lines(), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        message = (
            "a quote is opened and not closed" if "unexpected end" in str(error) else f"{error}"
        )
        raise csv.Error(message) from error


def _skip_line(file: BinaryIO) -> int:
    while part := file.readline(MAX_LINE_BYTES):
        if part.endswith(b"\n"):
            break
    return file.tell()
