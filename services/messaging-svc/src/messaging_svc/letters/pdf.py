"""Join PDF files into one as they come, without holding more than one of them.

For PDF 1.4 as the typesetter writes it: every object lies open, once, in a table at the file's end. Objects get new
numbers and are copied; only what is outside their streams can name another object.
"""

import re
from array import array
from itertools import pairwise
from typing import BinaryIO

from kantis_kit.errors import KantisError

_HEAD = b"%PDF-1.4\n%\xb5\xb5\xb5\xb5\n"
_STREAM = re.compile(rb">>\s*stream\r?\n")
_NAMED = re.compile(rb"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)|\b(\d+) 0 R\b", re.DOTALL)
_ROOT = re.compile(rb"/Root (\d+) 0 R")
_INFO = re.compile(rb"/Info (\d+) 0 R")
_ID = re.compile(rb"/ID\s*\[.*?\]", re.DOTALL)
_PAGES = re.compile(rb"/Pages (\d+) 0 R")
_COUNT = re.compile(rb"/Count (\d+)")
_TYPE_PAGES = b"/Type/Pages"
_ROOT_NUMBER = 1
"""Of the node above the pages of every part."""


class CannotJoin(KantisError):
    """A file is not one of those that can be joined."""


class _Part:
    def __init__(self, data: bytes) -> None:
        self.data = data
        at = data.rfind(b"startxref")
        if not data.startswith(b"%PDF-1.4") or at < 0:
            raise CannotJoin("not a PDF 1.4")
        table = int(data[at + 9 :].split(maxsplit=1)[0])
        lines = data[table:].split(b"\n", 2)
        if lines[0].strip() != b"xref":
            raise CannotJoin("the table of objects is not an open one")
        first, self.size = map(int, lines[1].split())
        rows = table + len(lines[0]) + len(lines[1]) + 2
        entries = [data[rows + 20 * n : rows + 20 * n + 20] for n in range(self.size)]
        if first or any(len(entry) != 20 for entry in entries):  # noqa: PLR2004 - the length of an entry
            raise CannotJoin("the table of objects is cut off")
        self._starts = {n: int(row[:10]) for n, row in enumerate(entries) if row[17:18] == b"n"}
        ordered = [*sorted(self._starts.values()), table]
        self._ends = dict(pairwise(ordered))
        self.trailer = data[rows + 20 * self.size : at]

    def number(self, pattern: re.Pattern[bytes], where: bytes) -> int:
        found = pattern.search(where)
        if found is None:
            raise CannotJoin(f"no {pattern.pattern.decode()}")
        return int(found[1])

    def numbers(self) -> list[int]:
        return sorted(self._starts)

    def body(self, number: int) -> bytes:
        """Return what stands between `obj` and `endobj`."""
        start = self._starts[number]
        whole = self.data[start : self._ends[start]]
        begin, end = whole.find(b"obj"), whole.rfind(b"endobj")
        if begin < 0 or end < 0:
            raise CannotJoin(f"object {number} is cut off")
        return whole[begin + 3 : end].strip(b"\r\n ")


class Joined:
    """A PDF that is being written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._offsets = array("Q", [0, 0])
        self._at = 0
        self._kids: list[tuple[int, int]] = []
        self._tail: tuple[int, int, bytes] | None = None
        self._write(_HEAD)

    @property
    def pages(self) -> int:
        """How many pages there are so far."""
        return sum(count for _, count in self._kids)

    def add(self, data: bytes) -> None:
        """Append the pages of a file.

        Raises:
            CannotJoin: it is not one of those that the typesetter writes.
        """
        part = _Part(data)
        root = part.number(_ROOT, part.trailer)
        catalog = part.body(root)
        pages = part.number(_PAGES, catalog)
        info = part.number(_INFO, part.trailer)
        base = len(self._offsets)
        is_first = self._tail is None
        self._offsets.extend([0] * part.size)

        def moved(head: bytes) -> bytes:
            return _NAMED.sub(lambda m: b"%d 0 R" % (base + int(m[1])) if m[1] else m[0], head)

        for number in part.numbers():
            body = part.body(number)
            if number in (root, info) and not is_first:
                continue
            if number == root:
                body = moved(_PAGES.sub(b"", catalog)).replace(
                    b"<<", b"<</Pages %d 0 R" % _ROOT_NUMBER, 1
                )
            else:
                stream = _STREAM.search(body)
                cut = stream.start() if stream else len(body)
                body = moved(body[:cut]) + body[cut:]
            if number == pages:
                self._kids.append((base + number, part.number(_COUNT, body)))
                body = body.replace(b"<<", b"<</Parent %d 0 R" % _ROOT_NUMBER, 1)
            self._object(base + number, body)
        if is_first:
            found = _ID.search(part.trailer)
            self._tail = (base + root, base + info, found[0] if found else b"")

    def close(self) -> int:
        """Write what stands at the end; return the size of the file."""
        if self._tail is None:
            raise CannotJoin("there is nothing to join")
        kids = b" ".join(b"%d 0 R" % number for number, _ in self._kids)
        self._object(_ROOT_NUMBER, b"<</Type/Pages/Count %d/Kids[%s]>>" % (self.pages, kids))
        table, size = self._at, len(self._offsets)
        self._write(b"xref\n0 %d\n" % size)
        free = b"0000000000 65535 f\r\n"
        for offset in self._offsets:
            self._write(b"%010d 00000 n\r\n" % offset if offset else free)
        root, info, name = self._tail
        self._write(
            b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R%s>>\nstartxref\n%d\n%%%%EOF\n"
            % (size, root, info, name, table)
        )
        return self._at

    def _object(self, number: int, body: bytes) -> None:
        self._offsets[number] = self._at
        self._write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._at += len(data)
