"""Workbooks from rows, one row in memory at a time: text stays text, whatever it begins with."""

import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import orjson
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from kantis_kit.csv_rows import quoted

ROWS_A_SHEET = 1_048_575
"""What a sheet of Excel holds below its header; those after them stand in another sheet."""
MAX_CELL = 32_767
"""What Excel keeps of a text."""
_EXACT = 15
"""A spreadsheet counts with so many digits; a longer number would be changed by it and stays text."""


class Stopped(Exception):
    """The process ends before the workbook is made."""


def head(fields: Sequence[str], numbers: Sequence[int]) -> bytes:
    """Return the first line of a file of rows: the columns, and which of them hold numbers."""
    return orjson.dumps([list(fields), list(numbers)]) + b"\n"


def lines(rows: Sequence[Sequence[str]]) -> bytes:
    """Return rows as lines that `write` reads again."""
    return b"".join(orjson.dumps(list(row)) + b"\n" for row in rows)


def folder_of(target: Path) -> Path:
    """Return the folder in which a workbook is made; it is there no longer than that."""
    return target.with_suffix(".making")


def write(
    source: Path,
    target: Path,
    *,
    rows_a_sheet: int = ROWS_A_SHEET,
    is_stopped: Callable[[], bool] = lambda: False,
) -> int | None:
    """Make a workbook of a file of rows, and see it on the disk; return its size, or None when there are no rows.

    No cell is a formula or a link: a text that begins like one carries the mark by which spreadsheets take it as text.
    One that was stopped is no workbook, and is made anew another time.
    """
    if not source.exists():
        return None
    folder = folder_of(target)
    shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
    folder.mkdir(mode=0o700)
    try:
        draft = folder / target.name
        _write(source, draft, rows_a_sheet, is_stopped)
        draft.chmod(0o600)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target.stat().st_size


def _write(source: Path, draft: Path, most: int, is_stopped: Callable[[], bool]) -> None:
    options = {
        "constant_memory": True,
        "tmpdir": str(draft.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = Workbook(str(draft), options)
    with source.open("rb") as told:
        fields, numbers = orjson.loads(told.readline())
        sheets = _Sheets(book, fields, frozenset(numbers), most)
        for line in told:
            if is_stopped():
                for sheet in book.worksheets():
                    sheet.row_data_fh.close()  # to close the book would be to write all of it
                raise Stopped
            sheets.add(orjson.loads(line))
    book.close()


class _Sheets:
    """Where the next row goes."""

    def __init__(
        self, book: Workbook, fields: Sequence[str], numbers: frozenset[int], most: int
    ) -> None:
        self._book, self._fields, self._numbers, self._most = book, fields, numbers, most
        self._quoted: Format = book.add_format({"quote_prefix": True})
        self._bold: Format = book.add_format({"bold": True})
        self._at = 0
        self._sheet = self._begin()

    def _begin(self) -> Worksheet:
        sheet: Worksheet = self._book.add_worksheet()
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(self._fields):
            sheet.write_string(0, column, name, self._bold)
        self._at = 0
        return sheet

    def add(self, row: Sequence[str]) -> None:
        """Write a row below the others, in another sheet when this one is full."""
        if self._at == self._most:
            self._sheet = self._begin()
        self._at += 1
        for column, cell in self._filled(row):
            number = _number(cell) if column in self._numbers else None
            if number is not None:
                self._sheet.write_number(self._at, column, number)
            elif quoted(cell) != cell:
                self._sheet.write_string(self._at, column, cell[:MAX_CELL], self._quoted)
            else:
                self._sheet.write_string(self._at, column, cell[:MAX_CELL])

    @staticmethod
    def _filled(row: Sequence[str]) -> Iterator[tuple[int, str]]:
        return ((column, cell) for column, cell in enumerate(row) if cell)


def _number(cell: str) -> float | None:
    """Return what a spreadsheet may count with, or None for what it would change or not understand."""
    if sum(sign.isdigit() for sign in cell) > _EXACT:
        return None
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
