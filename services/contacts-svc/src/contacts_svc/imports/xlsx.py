"""Workbooks (XLSX) rewritten as CSV in bounded memory; those that are damaged, or made to harm, are refused.

A workbook is a ZIP archive of XML. It is read as a stream of elements, its table of texts lies in a file beside it, and
what comes out is counted: neither a small archive that grows without end nor one text that is used a million times
fills the memory or the disk.
"""

import csv
import mmap
import os
import posixpath
import re
import tempfile
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Final
from xml.parsers import expat

MAX_ENTRIES: Final = 2_000
MAX_RATIO: Final = 200  # sheets of real companies shrink 8 to 40 times
FREE_BYTES: Final = 10 * 1024 * 1024
"""What an archive may grow to without its ratio being asked for."""
MAX_PART_BYTES: Final = 4 * 1024**3
MAX_OUT_BYTES: Final = 2 * 1024**3
MAX_TEXTS: Final = 8_000_000
MAX_CELL: Final = (
    66_000  # longer than the longest line that is taken, so that the row is given back
)
MAX_ROWS: Final = 1_048_576
_PART = 1 << 16
_TABLE = "xl/sharedStrings.xml"
_OLD = b"\xd0\xcf\x11\xe0"
_EPOCH_1900 = datetime(1899, 12, 30, tzinfo=UTC)
_EPOCH_1904 = datetime(1904, 1, 1, tzinfo=UTC)
_BUILT_IN_DAYS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NOT_CODE = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_LETTERS = re.compile(r"[A-Z]{1,3}")
_LAST_SERIAL = 2_958_465  # 9999-12-31


class Unreadable(ValueError):
    """The whole file cannot be read; the message says why."""


def is_workbook(path: Path) -> bool:
    """Say whether a file is a ZIP archive, or a workbook of the old kind that is refused with a sentence."""
    with path.open("rb") as file:
        start = file.read(4)
    return start in (b"PK\x03\x04", _OLD)


def rewrite_workbook(path: Path, max_columns: int) -> None:
    """Replace a workbook by the CSV of its first sheet; rows keep their numbers.

    Raises:
        Unreadable: not a workbook, damaged, or one that grows beyond reason.
    """
    with path.open("rb") as file:
        if file.read(4) == _OLD:
            message = "this is an .xls file, or a workbook with a password: save it as .xlsx without one, or as CSV (UTF-8)"
            raise Unreadable(message)
    twin = path.with_suffix(".sheet")
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive, path.stat().st_size)
            with _texts(archive, path.parent) as text_at, twin.open("w+b") as out:
                _Writer(archive, text_at, out, max_columns).run()
        twin.replace(path)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, expat.ExpatError) as error:
        message = (
            f"the workbook is damaged: {str(error)[:200]}; open it, save it again and send that"
        )
        raise Unreadable(message) from error
    except KeyError as error:
        message = "this archive is not a workbook: send .xlsx or CSV"
        raise Unreadable(message) from error
    finally:
        twin.unlink(missing_ok=True)


def _check(archive: zipfile.ZipFile, size: int) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        message = f"the archive holds {len(entries)} files, a workbook at most {MAX_ENTRIES}"
        raise Unreadable(message)
    if any(entry.flag_bits & 0x1 for entry in entries):
        message = "the archive has a password: send it without one"
        raise Unreadable(message)
    grown = sum(entry.file_size for entry in entries)
    if grown > max(FREE_BYTES, size * MAX_RATIO) or grown > MAX_PART_BYTES:
        message = f"the archive would grow from {size} to {grown} bytes, which no honest workbook does; save it as CSV"
        raise Unreadable(message)


def _read(archive: zipfile.ZipFile, name: str, parser: expat.XMLParserType) -> None:
    """Feed a part of the archive to a parser; what it says of its size is not believed."""
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.buffer_text = True
    told = archive.getinfo(name).file_size
    read = 0
    with archive.open(name) as part:
        while data := part.read(_PART):
            read += len(data)
            if read > told:
                message = f"{name} is larger than the archive says"
                raise Unreadable(message)
            parser.Parse(data, False)  # noqa: FBT003 - expat takes no keyword
        parser.Parse(b"", True)  # noqa: FBT003 - as above


def _refuse_doctype(*_: object) -> None:
    message = "the workbook holds a document type declaration, which no spreadsheet program writes"
    raise Unreadable(message)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


@contextmanager
def _texts(archive: zipfile.ZipFile, folder: Path) -> Iterator[Callable[[int], str]]:
    """Give the texts that cells refer to by number; they lie in a file, only their places in memory."""
    ends = array("Q", [0])
    with tempfile.TemporaryFile(dir=folder) as file:
        if _TABLE in archive.namelist():
            _spill(archive, file, ends)
        file.flush()
        size = os.fstat(file.fileno()).st_size
        view = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""

        def text_at(index: int) -> str:
            if not 0 <= index < len(ends) - 1:
                message = f"a cell refers to text {index}, the workbook has {len(ends) - 1}"
                raise Unreadable(message)
            return view[ends[index] : ends[index + 1]].decode("utf-8")

        try:
            yield text_at
        finally:
            if isinstance(view, mmap.mmap):
                view.close()


def _spill(archive: zipfile.ZipFile, file: IO[bytes], ends: "array[int]") -> None:
    parser = expat.ParserCreate()
    parts: list[str] = []
    length = 0
    within = {"t": 0, "rPh": 0}

    def start(name: str, _: Mapping[str, str]) -> None:
        if _local(name) in within:
            within[_local(name)] += 1

    def text(data: str) -> None:
        nonlocal length
        if within["t"] and not within["rPh"] and length < MAX_CELL:
            parts.append(data)
            length += len(data)

    def end(name: str) -> None:
        nonlocal length
        if _local(name) in within:
            within[_local(name)] -= 1
        elif _local(name) == "si":
            if len(ends) > MAX_TEXTS:
                message = (
                    f"the workbook holds more than {MAX_TEXTS} different texts: save it as CSV"
                )
                raise Unreadable(message)
            written = file.write("".join(parts)[:MAX_CELL].encode("utf-8", "replace"))
            ends.append(ends[-1] + written)
            parts.clear()
            length = 0

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    _read(archive, _TABLE, parser)


def _attributes(archive: zipfile.ZipFile, name: str, wanted: str) -> list[dict[str, str]]:
    """Return the attributes of every element of one name in a small part."""
    found: list[dict[str, str]] = []
    parser = expat.ParserCreate()

    def start(tag: str, given: dict[str, str]) -> None:
        if _local(tag) == wanted and len(found) < _PART:
            found.append({_local(key): value for key, value in given.items()})

    parser.StartElementHandler = start
    _read(archive, name, parser)
    return found


def _first_sheet(archive: zipfile.ZipFile) -> str:
    relations = {
        one.get("Id"): one.get("Target", "")
        for one in _attributes(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    }
    sheets = _attributes(archive, "xl/workbook.xml", "sheet")
    shown = [one for one in sheets if one.get("state", "visible") == "visible"]
    if not shown:
        message = "the workbook has no sheet"
        raise Unreadable(message)
    target = relations[shown[0].get("id")]
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")


def _day_styles(archive: zipfile.ZipFile) -> set[int]:
    """Return the numbers of the cell styles that show a number as a day."""
    name = "xl/styles.xml"
    if name not in archive.namelist():
        return set()
    own = {
        one.get("numFmtId"): one.get("formatCode", "")
        for one in _attributes(archive, name, "numFmt")
    }
    within = False
    styles: list[str] = []
    parser = expat.ParserCreate()

    def start(tag: str, given: dict[str, str]) -> None:
        nonlocal within
        if _local(tag) == "cellXfs":
            within = True
        elif within and _local(tag) == "xf" and len(styles) < _PART:
            styles.append(given.get("numFmtId", "0"))

    def end(tag: str) -> None:
        nonlocal within
        within = within and _local(tag) != "cellXfs"

    parser.StartElementHandler, parser.EndElementHandler = start, end
    _read(archive, name, parser)
    return {index for index, style in enumerate(styles) if _shows_day(style, own.get(style))}


def _shows_day(style: str, code: str | None) -> bool:
    if code is None:
        return style.isdecimal() and int(style) in _BUILT_IN_DAYS
    return bool(set(_NOT_CODE.sub("", code).lower()) & set("yd"))


class _Writer:
    """The sheet as it is read: cells come in, lines of CSV go out."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        text_at: Callable[[int], str],
        out: IO[bytes],
        max_columns: int,
    ) -> None:
        self._archive, self._text_at, self._out = archive, text_at, out
        self._max_columns = max_columns
        self._days = _day_styles(archive)
        properties = _attributes(archive, "xl/workbook.xml", "workbookPr")
        is_1904 = any(one.get("date1904") in {"1", "true"} for one in properties)
        self._epoch = _EPOCH_1904 if is_1904 else _EPOCH_1900
        self._lines = csv.writer(self, delimiter=",", lineterminator="\n")
        self._written = 0
        self._row = self._last_row = 0
        self._width = 0
        self._cells: list[str] = []
        self._column = -1
        self._kind = self._style = ""
        self._parts: list[str] = []
        self._length = 0
        self._takes = False
        self._phonetic = 0

    def write(self, line: str) -> None:
        """Take a line of the CSV writer."""
        data = line.encode("utf-8", "replace")
        self._written += len(data)
        if self._written > MAX_OUT_BYTES:
            message = "the workbook holds more text than 2 GiB: send it as CSV, in parts"
            raise Unreadable(message)
        self._out.write(data)

    def run(self) -> None:
        """Write the first sheet."""
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._data
        _read(self._archive, _first_sheet(self._archive), parser)

    def _start(self, name: str, given: Mapping[str, str]) -> None:
        tag = _local(name)
        if tag == "row":
            number = given.get("r", "")
            self._row = int(number) if number.isdecimal() else self._last_row + 1
            if not self._last_row < self._row <= MAX_ROWS:
                message = f"row {number[:20]} follows row {self._last_row}"
                raise Unreadable(message)
            self._cells, self._column = [], -1
        elif tag == "c":
            self._column = _column(given.get("r", ""), self._column + 1)
            self._kind, self._style = given.get("t", "n"), given.get("s", "0")
            self._parts, self._length = [], 0
        elif tag == "rPh":
            self._phonetic += 1
        elif tag in {"v", "t"}:
            self._takes = not self._phonetic

    def _data(self, data: str) -> None:
        if self._takes and self._length < MAX_CELL:
            self._parts.append(data)
            self._length += len(data)

    def _end(self, name: str) -> None:
        tag = _local(name)
        if tag in {"v", "t"}:
            self._takes = False
        elif tag == "rPh":
            self._phonetic -= 1
        elif tag == "c" and self._parts:
            self._put("".join(self._parts))
        elif tag == "row":
            self._end_row()

    def _put(self, text: str) -> None:
        value = self._value(text)
        if not value:
            return
        if self._column >= self._max_columns:
            message = f"row {self._row} has a value in column {self._column + 1}, at most {self._max_columns} are read"
            raise Unreadable(message)
        while len(self._cells) <= self._column:
            self._cells.append("")
        self._cells[self._column] = value

    def _value(self, text: str) -> str:
        if self._kind == "s":
            return self._text_at(int(text) if text.strip().isdecimal() else -1)
        if self._kind == "b":
            return "true" if text.strip() == "1" else "false"
        if self._kind != "n":
            return text
        try:
            number = float(text)
        except ValueError:
            return text
        if self._style.isdecimal() and int(self._style) in self._days and 0 < number < _LAST_SERIAL:
            moment = self._epoch + timedelta(days=number)
            return moment.date().isoformat() if number.is_integer() else f"{moment:%Y-%m-%d %H:%M}"
        return _written(number)

    def _end_row(self) -> None:
        if not self._width:
            self._width = len(self._cells)
        # Cells that are empty at the end of a row are left out of the file; rows that are empty, too.
        self._cells += [""] * (self._width - len(self._cells))
        for _ in range(self._last_row + 1, self._row):
            self.write("\n")
        if any(self._cells):
            self._lines.writerow(self._cells)
        else:
            self.write("\n")
        self._last_row = self._row


def _column(reference: str, following: int) -> int:
    found = _LETTERS.match(reference)
    if found is None:
        return following
    number = 0
    for letter in found[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _written(number: float) -> str:
    """Return a number as its cell holds it: phone numbers without an exponent, three decimals not as thousands."""
    with suppress(OverflowError, ValueError):
        if number.is_integer() and abs(number) < 10**15:
            return str(int(number))
    text = repr(number)
    return f"{text}0" if re.fullmatch(r"-?\d{1,3}\.\d{3}", text) else text
