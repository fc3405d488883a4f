"""The words on printed pages, as somebody gets them who copies the text of the file.

For the PDF files of our own typesetter: every object lies open, and every font says which letters its signs are.
"""

import re
import zlib

_OBJECT = re.compile(rb"(?<!\d)(\d+) 0 obj\b(.*?)\bendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.DOTALL)
_NAMED = re.compile(rb"/(f\d+) (\d+) 0 R")
_LETTER = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]{4,})>")
_DRAWN = re.compile(rb"/(f\d+) [\d.]+ Tf|\(((?:[^\\()]|\\.)*)\)|(\bET\b)", re.DOTALL)
_ESCAPED = re.compile(rb"\\(?:([0-7]{1,3})|(.))", re.DOTALL)
_CONTROLS = {b"b": b"\b", b"t": b"\t", b"n": b"\n", b"f": b"\f", b"r": b"\r"}
Font = dict[bytes, str]


def pages_of(pdf: bytes) -> list[str]:
    """Return what stands on each page, line by line."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    pages = [body for body in objects.values() if b"/Type/Page/" in body]
    return [_read(objects, page) for page in pages]


def _read(objects: dict[int, bytes], page: bytes) -> str:
    resources = objects[_number(page, b"Resources")]
    fonts = {name: _letters(objects, int(at)) for name, at in _NAMED.findall(resources)}
    said, font = [], Font()
    for name, drawn, is_line_over in _DRAWN.findall(_content(objects[_number(page, b"Contents")])):
        if name:
            font = fonts[name]
        elif is_line_over:
            said.append("\n")
        else:
            signs = _ESCAPED.sub(_plain, drawn)
            said += [font.get(signs[n : n + 2], "") for n in range(0, len(signs), 2)]
    return "".join(said)


def _letters(objects: dict[int, bytes], font: int) -> Font:
    table = _content(objects[_number(objects[font], b"ToUnicode")])
    return {
        bytes.fromhex(sign.decode()): bytes.fromhex(letter.decode()).decode("utf-16-be")
        for sign, letter in _LETTER.findall(table.partition(b"beginbfchar")[2])
    }


def _number(body: bytes, name: bytes) -> int:
    found = re.search(rb"/%s (\d+) 0 R" % name, body)
    assert found is not None, name
    return int(found[1])


def _content(body: bytes) -> bytes:
    found = _STREAM.search(body)
    assert found is not None
    return zlib.decompress(found[1])


def _plain(match: re.Match[bytes]) -> bytes:
    octal, other = match[1], match[2]
    return bytes([int(octal, 8)]) if octal else _CONTROLS.get(other, other)
