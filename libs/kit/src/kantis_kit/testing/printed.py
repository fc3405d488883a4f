"""A PDF on a table, as somebody sees it who holds a reader over it."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import typst
import zxingcpp

_LEFT, _ABOVE, _MEAN, _NEAREST = 1, 2, 3, 4
"""How PNG tells a row: by its difference to this."""


def _unfiltered(kind: int, row: bytearray, before: bytes, width: int) -> None:
    """Undo a PNG filter in place."""
    for i in range(len(row)):
        left = row[i - width] if i >= width else 0
        above = before[i]
        corner = before[i - width] if i >= width else 0
        if kind == _LEFT:
            row[i] = (row[i] + left) & 255
        elif kind == _ABOVE:
            row[i] = (row[i] + above) & 255
        elif kind == _MEAN:
            row[i] = (row[i] + (left + above) // 2) & 255
        elif kind == _NEAREST:
            guess = left + above - corner
            a, b, c = abs(guess - left), abs(guess - above), abs(guess - corner)
            nearest = left if a <= b and a <= c else above if b <= c else corner
            row[i] = (row[i] + nearest) & 255


def grey(png: bytes) -> memoryview:
    """Return a picture's first channel as rows of points."""
    at, packed, width, height = 8, b"", 0, 0
    while at < len(png):
        size, kind = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            packed += body
        at += size + 12
    raw, stride = zlib.decompress(packed), width * 4
    before, points = bytes(stride), bytearray()
    for n in range(height):
        row = bytearray(raw[n * (stride + 1) + 1 : (n + 1) * (stride + 1)])
        _unfiltered(raw[n * (stride + 1)], row, before, 4)
        points += row[::4]
        before = bytes(row)
    return memoryview(bytes(points)).cast("B", (height, width))


@dataclass
class Printed:
    """A PDF, and the folder in which it is looked at."""

    folder: Path
    pdf: bytes
    page_mm: tuple[float, float] = (210, 297)

    def codes(
        self, page: int, x_mm: float, y_mm: float, w_mm: float, h_mm: float, *, ppi: float
    ) -> set[str]:
        """Return what a reader finds in a part of a page."""
        (self.folder / "it.pdf").write_bytes(self.pdf)
        look = (
            f"#set page(width: {w_mm}mm, height: {h_mm}mm, margin: 0mm)\n"
            f"#place(top + left, dx: -{x_mm}mm, dy: -{y_mm}mm, "
            f'image("it.pdf", page: {page}, width: {self.page_mm[0]}mm, height: {self.page_mm[1]}mm))'
        )
        page_file = self.folder / "look.typ"
        page_file.write_text(look, encoding="utf-8")
        png = typst.compile(str(page_file), root=str(self.folder), format="png", ppi=ppi)
        return {found.text for found in zxingcpp.read_barcodes(grey(png))}
