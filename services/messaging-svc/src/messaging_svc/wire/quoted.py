"""Quoted-printable in pieces: what is the same in every mail is encoded once, what differs is put between soft breaks.

Every piece begins and ends at the beginning of a line, so that pieces can be joined in any combination. No encoded line
begins with a dot: nothing has to be stuffed. Source: RFC 2045 (6.7), RFC 5321 (4.5.2); 2026-11.
"""

import re
from functools import lru_cache

_LONGEST_LINE = 75
"""Of a line's 76 characters the last is the soft break's."""
_SOFT_BREAK = b"=\r\n"
_CODES = [b"=%02X" % n for n in range(256)]
_PLAIN = frozenset([*range(0x21, 0x3D), *range(0x3E, 0x7F)])
_CODED = [bytes((n,)) if n in _PLAIN or n in b" \t" else _CODES[n] for n in range(256)]
_PIECE = 73
"""Characters of a plain value to a line: a dot at its beginning takes two more."""
_PLAIN_VALUE = re.compile("[ !-<>-~]*")
_TOKEN = re.compile(f"[A-Za-z0-9_-]{{1,{_PIECE}}}")
_LINE_END = re.compile(rb"\r\n|\r|\n")


def is_token(text: str) -> bool:
    """Say whether a text stands in a mail as it is, whatever is before and behind it: letters, digits, - and _."""
    return _TOKEN.fullmatch(text) is not None


def encode(text: str) -> bytes:
    """Return a text of any kind as whole lines; a soft break ends the last one."""
    lines = _LINE_END.split(text.encode("utf-8", "surrogatepass"))
    return b"\r\n".join(_line(line) for line in lines) + _SOFT_BREAK if text else b""


def encode_value(text: str) -> bytes:
    """Return what stands in one place of one mail; most of it is short and plain and needs no look at its letters."""
    if not _PLAIN_VALUE.fullmatch(text):
        return _encoded_name(text) if len(text) <= _PIECE else encode(text)
    if len(text) <= _PIECE and text[:1] != ".":
        return text.encode() + _SOFT_BREAK if text else b""
    pieces = [text[at : at + _PIECE].encode() for at in range(0, len(text), _PIECE)]
    return b"".join(
        [(b"=2E" + one[1:] if one[:1] == b"." else one) + _SOFT_BREAK for one in pieces]
    )


_encoded_name = lru_cache(maxsize=4_096)(encode)
"""Many people have the same name."""


def _line(line: bytes) -> bytes:
    """Encode one line, in as many as it needs."""
    lines: list[bytes] = []
    current: list[bytes] = []
    length = 0
    last = len(line) - 1
    for at, byte in enumerate(line):
        code = _CODED[byte]
        if (at == last and byte in b" \t") or (not current and byte == b"."[0]):
            code = _CODES[byte]
        if length + len(code) > _LONGEST_LINE:
            lines.append(b"".join(current))
            current, length = [], 0
            if byte == b"."[0]:
                code = _CODES[byte]
        current.append(code)
        length += len(code)
    lines.append(b"".join(current))
    return _SOFT_BREAK.join(lines)
