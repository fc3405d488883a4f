"""How a file of contacts is to be read: workbooks, encodings, byte order marks, delimiter, header."""

import codecs
from dataclasses import dataclass, field
from pathlib import Path

from contacts_svc.imports.xlsx import Unreadable, is_workbook, rewrite_workbook
from kantis_kit.csv_rows import MAX_LINE_BYTES, Record, find_delimiter, read_records

MAX_COLUMNS = 200
_SAMPLE_LINES = 20
_CHUNK = 1 << 20


def _bom(path: Path) -> tuple[str, int] | None:
    with path.open("rb") as file:
        start = file.read(4)
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if start.startswith(mark):
            return name, len(mark)
    return None


def settle(path: Path) -> tuple[str, int]:
    """Find the encoding of a file; return it and the offset of its first line.

    A workbook (XLSX) is rewritten as CSV, row by row. UTF-16 (what Excel calls Unicode text) is rewritten as UTF-8, and lone carriage returns as line feeds, so that
    offsets of lines can be found. In a file of mostly UTF-8, single broken rows do not turn the others into rubbish.

    Raises:
        Unreadable: binary data, or a workbook that is damaged or made to harm.
    """
    if is_workbook(path):
        rewrite_workbook(path, MAX_COLUMNS)
    mark = _bom(path)
    if mark is not None and mark[0] == "utf-16":
        _rewrite(path)
        mark = ("utf-8", 0)
    with path.open("rb") as file:
        sample = file.read(_CHUNK)
    if sample.count(b"\x00") * 10 > len(sample):
        message = "this is not text: save it as CSV (UTF-8) and send that"
        raise Unreadable(message)
    if b"\r" in sample and b"\n" not in sample:
        _end_lines(path)
    if mark is not None:
        return "utf-8", mark[1]
    return _guess(path), 0


def _rewrite(path: Path) -> None:
    twin = path.with_suffix(".utf8")
    try:
        with (
            path.open(encoding="utf-16", newline="") as old,
            twin.open("w", encoding="utf-8", newline="") as new,
        ):
            while part := old.read(_CHUNK):
                new.write(part)
    except UnicodeDecodeError as error:
        twin.unlink(missing_ok=True)
        message = f"the file says it is UTF-16 but breaks off or is damaged near byte {error.start}"
        raise Unreadable(message) from error
    twin.replace(path)


def _end_lines(path: Path) -> None:
    twin = path.with_suffix(".lf")
    with path.open("rb") as old, twin.open("wb") as new:
        while part := old.read(_CHUNK):
            new.write(part.replace(b"\r", b"\n"))
    twin.replace(path)


def _guess(path: Path) -> str:
    good = bad = 0
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE_BYTES):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                good += 1
            except UnicodeDecodeError:
                bad += 1
    return "utf-8" if good >= bad else "windows-1252"


@dataclass(slots=True)
class Sheet:
    """A file that is known how to read."""

    path: Path
    encoding: str
    delimiter: str
    header: list[str]
    data_offset: int
    """Offset of the first row after the header."""
    header_row: int = 1
    sample: list[Record] = field(default_factory=list)


def open_sheet(path: Path) -> Sheet:
    """Find out how a file is to be read, and read its header and first rows.

    Raises:
        Unreadable: empty, binary, no header, or a header with too many columns.
    """
    encoding, start = settle(path)
    with path.open("rb") as file:
        file.seek(start)
        raw = [file.readline(MAX_LINE_BYTES) for _ in range(_SAMPLE_LINES)]
    lines = [line.decode(encoding, errors="replace") for line in raw if line.strip()]
    if not lines:
        message = "the file is empty"
        raise Unreadable(message)
    delimiter = find_delimiter(lines)
    records = read_records(path, encoding, delimiter, offset=start, number=0)
    head = next(
        (
            record
            for record in records
            if any(cell.strip() for cell in record.cells) or record.problem
        ),
        None,
    )
    if head is None or head.problem:
        message = f"the header cannot be read: {head.problem if head else 'there is none'}"
        raise Unreadable(message)
    if len(head.cells) > MAX_COLUMNS:
        message = f"the header has {len(head.cells)} columns, at most {MAX_COLUMNS} are read"
        raise Unreadable(message)
    header = [cell.strip() for cell in head.cells]
    return Sheet(path, encoding, delimiter, header, head.end, head.number)
