"""Lines of a file of responses, from a byte offset on: fixed width, CSV, or a JSON object each."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import orjson

from kantis_kit.csv_rows import MAX_LINE_BYTES, Record, read_records
from orders_svc.response_files.schemas import Form, MappingIn

CUT = "the file may be cut here"
ADDED = ("row_number", "reason")
"""Columns of a file that came back; they may stay when it is sent again."""
_BOM = codecs.BOM_UTF8
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PART = 1 << 20


class Unreadable(Exception):
    """The file is not what its mapping says; the message is for its sender."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file: what stands in its columns, or why that cannot be told; `end` is the offset after it."""

    number: int
    text: str
    end: int
    cells: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it."""
        return not self.problem and not self.text.strip()


@dataclass(frozen=True, slots=True)
class Opened:
    """Where the rows of a file begin, and what its columns are called."""

    header: list[str]
    offset: int
    number: int
    rows: int
    size: int


def open_file(path: Path, mapping: MappingIn) -> Opened:
    """Look at a file as a whole. Raises `Unreadable` when it is empty, binary, or has other columns."""
    lines = 0
    last = b""
    with path.open("rb") as file:
        start = file.read(len(_BOM))
        file.seek(0)
        while part := file.read(_PART):
            if b"\x00" in part:
                message = "this is not text; UTF-16 and workbooks are to be saved as UTF-8 first"
                raise Unreadable(message)
            lines += part.count(b"\n")
            last = part
    if start[:2] in _WIDE or not last:
        message = "the file is empty" if not last else "this is UTF-16: save it as UTF-8 first"
        raise Unreadable(message)
    lines += not last.endswith(b"\n")
    offset = len(_BOM) if start == _BOM else 0
    size = path.stat().st_size
    if mapping.form is not Form.CSV or not mapping.has_header:
        return Opened([], offset, 0, lines, size)
    head = next(_records(path, mapping, offset, 0), None)
    if head is None or head.problem:
        message = f"the header cannot be read: {head.problem if head else 'there is none'}"
        raise Unreadable(message)
    header = [cell.strip() for cell in head.cells]
    missing = sorted({one.column or "" for one in mapping.fields.values()} - set(header))
    if missing:
        message = (
            f"the file has no column {', '.join(missing)}; it has {', '.join(header)[:500]}. Look at the delimiter"
            f" ({mapping.delimiter!r}) and the names in the mapping"
        )
        raise Unreadable(message)
    return Opened(header, head.end, 1, lines - 1, size)


def read_lines(
    path: Path, mapping: MappingIn, header: Sequence[str], *, offset: int, number: int, rows: int
) -> list[Line]:
    """Read up to `rows` lines from an offset on; fewer only at the end of the file."""
    if mapping.form is Form.CSV:
        found = _csv_lines(path, mapping, header, offset, number)
    else:
        found = _plain_lines(path, mapping, offset, number)
    return list(islice(found, rows))


def _records(path: Path, mapping: MappingIn, offset: int, number: int) -> Iterator[Record]:
    return read_records(path, mapping.encoding, mapping.delimiter, offset=offset, number=number)


def _csv_lines(
    path: Path, mapping: MappingIn, header: Sequence[str], offset: int, number: int
) -> Iterator[Line]:
    needed = max(int(one.column or 0) for one in mapping.fields.values()) if not header else 0
    start = offset
    for record in _records(path, mapping, offset, number):
        if record.problem:
            text, problem = _odd(path, start, record.end, record.problem, mapping)
            yield Line(record.number, text, record.end, problem=problem)
        else:
            cells = record.cells
            text = joined(cells, mapping.delimiter) if any(map(str.strip, cells)) else ""
            wrong = len(cells) != len(header) if header else len(cells) < needed
            problem = (
                f"{len(cells)} cells instead of {len(header) or needed}: look for a delimiter or a quote too many"
                f" or too few; {CUT}"
                if wrong and text
                else ""
            )
            names = header or [str(place) for place in range(1, len(cells) + 1)]
            yield Line(
                record.number,
                text,
                record.end,
                {} if problem else dict(zip(names, cells, strict=False)),
                problem,
            )
        start = record.end


def joined(cells: Sequence[str], delimiter: str) -> str:
    """Return cells as a line of CSV, without its end."""
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(cells)
    return line.getvalue()


def _plain_lines(path: Path, mapping: MappingIn, offset: int, number: int) -> Iterator[Line]:
    read = _fixed if mapping.form is Form.FIXED else _json
    with path.open("rb") as file:
        file.seek(offset)
        while raw := file.readline(MAX_LINE_BYTES):
            number += 1
            is_whole = raw.endswith(b"\n")
            if not is_whole and len(raw) >= MAX_LINE_BYTES:
                while not raw.endswith(b"\n") and (raw := file.readline(MAX_LINE_BYTES)):
                    continue
                problem = f"the line is longer than {MAX_LINE_BYTES} bytes"
                yield Line(number, "", file.tell(), problem=problem)
                continue
            end = file.tell()
            try:
                text = raw.decode(mapping.encoding).rstrip("\r\n")
            except UnicodeDecodeError as error:
                told, problem = _odd(path, end - len(raw), end, _byte(error, mapping), mapping)
                yield Line(number, told, end, problem=problem)
                continue
            cells, problem = read(text, mapping, is_whole=is_whole) if text.strip() else ({}, "")
            yield Line(number, text, end, cells, problem)


def _byte(error: UnicodeDecodeError, mapping: MappingIn) -> str:
    return f"byte {error.object[error.start]:#04x} is not {mapping.encoding.upper()}"


def _odd(path: Path, start: int, end: int, problem: str, mapping: MappingIn) -> tuple[str, str]:
    """Return a line that cannot be read as well as it can be, and what is wrong with it."""
    with path.open("rb") as file:
        file.seek(start)
        text = file.read(end - start).decode("windows-1252", errors="replace").rstrip("\r\n")
    if "is not" in problem:
        problem += (
            "; as Windows-1252 it reads as it comes back here: send it again so, or change the mapping's encoding"
            f" ({mapping.encoding}) and send the whole file again"
        )
    return text, problem


def _fixed(text: str, mapping: MappingIn, *, is_whole: bool) -> tuple[dict[str, str], str]:
    # Programs that cut spaces at the end of a line are no problem; a line that ends before it says whose it is, is one.
    if len(text) < (mapping.least_width if is_whole else mapping.width):
        return {}, f"{len(text)} signs instead of {mapping.width}: {CUT}"
    return {
        name: text[(one.start or 1) - 1 : (one.start or 1) - 1 + (one.length or 0)]
        for name, one in mapping.fields.items()
    }, ""


def _json(text: str, mapping: MappingIn, *, is_whole: bool) -> tuple[dict[str, str], str]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return {}, f"this is no JSON ({error})" + ("" if is_whole else f"; {CUT}")
    if not isinstance(found, dict):
        return {}, "this is no JSON object: a row is written as {…}"
    return {one.column: _at(found, one.column) for one in mapping.fields.values() if one.column}, ""


def _at(found: object, column: str) -> str:
    for part in column.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if found is None or isinstance(found, dict | list):
        return ""
    return found if isinstance(found, str) else orjson.dumps(found).decode()
