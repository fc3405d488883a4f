"""Rows of a file by the block: the csv module cuts many at once, and what it stumbles over is read row by row with care.

Gives the same rows as `reading.read_records`, problems included; a test compares them.
"""

import csv
import io
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate, islice
from pathlib import Path
from typing import BinaryIO

from kantis_kit.csv_rows import MAX_LINE_BYTES, Record, read_one

_BLOCK = 1 << 19


@dataclass(slots=True)
class Rows:
    """Rows of a file, in their order: the cells, or a record that says why there are none that can be used."""

    number: int
    """Of the row before the first."""
    end: int
    """The offset after the last row."""
    rows: list[list[str] | Record] = field(default_factory=list)


def read_rows(
    path: Path, encoding: str, delimiter: str, *, offset: int, number: int, rows: int
) -> Rows:
    """Read up to `rows` rows from a byte offset on; fewer only at the end of the file."""
    found = Rows(number, offset)
    with path.open("rb") as file:
        reader = _Reader(file, encoding, delimiter, found, rows)
        while len(found.rows) < rows and reader.take_block():
            pass
    return found


class _Reader:
    def __init__(
        self, file: BinaryIO, encoding: str, delimiter: str, found: Rows, wanted: int
    ) -> None:
        self._file = file
        self._encoding = encoding
        self._delimiter = delimiter
        self._found = found
        self._wanted = wanted

    def take_block(self) -> bool:
        """Take the rows of the next block, or one with care; say whether there was any."""
        self._file.seek(self._found.end)
        raw = self._file.read(_BLOCK)
        raw = raw[: raw.rfind(b"\n") + 1]
        try:
            text = raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            raw = raw[: raw.rfind(b"\n", 0, error.start) + 1]
            text = raw.decode(self._encoding)
        if not raw:
            return self._take_one(self._found.end)
        sizes = [len(line) + 1 for line in raw.split(b"\n")]
        sizes.pop()
        if '"' in text or max(sizes) > MAX_LINE_BYTES or not self._take_plain(text, sizes):
            self._take_lines(text, sizes)
        return True

    def _take_plain(self, text: str, sizes: list[int]) -> bool:
        """Take lines of which each is a row; False when the csv module would not."""
        left = self._wanted - len(self._found.rows)
        lines = csv.reader(io.StringIO(text, newline="\n"), delimiter=self._delimiter, strict=True)
        try:
            cut = list(islice(lines, left))
        except csv.Error:
            return False
        self._found.rows += cut
        self._found.end += sum(sizes[: len(cut)])
        return True

    def _take_lines(self, text: str, sizes: list[int]) -> None:
        """Take rows that may run over several lines, each that cannot be cut with care."""
        lines = [f"{line}\n" for line in text.split("\n")[:-1]]
        starts = list(accumulate(sizes, initial=self._found.end))
        place = 0
        while place < len(lines) and len(self._found.rows) < self._wanted:
            place = self._take_good(lines, starts, place)
            if place < len(lines) and len(self._found.rows) < self._wanted:
                if not self._take_one(starts[place]):
                    return
                # With care a row may end beyond this block.
                place = bisect_left(starts, self._found.end)
                if place >= len(starts) or starts[place] != self._found.end:
                    return

    def _take_good(self, lines: list[str], starts: list[int], first: int) -> int:
        """Take rows as long as they can be cut; return the line after them."""
        place = first
        reader = csv.reader(lines[first:], delimiter=self._delimiter, strict=True)
        try:
            for cells in reader:
                after = first + reader.line_num
                if starts[after] - starts[place] > MAX_LINE_BYTES:
                    break
                self._found.rows.append(cells)
                place = after
                if len(self._found.rows) == self._wanted:
                    break
        except csv.Error:
            pass  # the row is read again, with care, and its problem told
        self._found.end = starts[place]
        return place

    def _take_one(self, start: int) -> bool:
        self._file.seek(start)
        number = self._found.number + len(self._found.rows) + 1
        record = read_one(self._file, self._encoding, self._delimiter, number)
        if record is None:
            return False
        self._found.rows.append(record if record.problem else record.cells)
        self._found.end = record.end
        return True
