"""What a pattern allows, in words: whoever sends a key that does not fit is told what to write, not a regular expression."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_KNOWN = {
    r"^[A-Z]{2}$": "Write the country as two capital letters, such as NO",
    r"^([A-Z]{2})?$": "Write the country as two capital letters, such as NO, or nothing for all of them",
    r"^[A-Z]{3}$": "Write the currency as three capital letters, such as NOK",
    r"^([A-Z]{3})?$": "Write the currency as three capital letters, such as NOK, or nothing for all of them",
    r"^([A-Z]{3}|\*)$": "Write the currency as three capital letters, such as NOK, or * for all of them",
    r"^[^@\s]+@[^@\s]+$": "Write an e-mail address, such as kari@example.com",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$": "Write an e-mail address, such as kari@example.com",
    r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$": "Write an e-mail address, such as kari@example.com, or nothing",
    r"^\+?[0-9][0-9 ().-]{5,24}$": "Write the number with its country, such as +47 412 34 567",
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$": "Write the day as 2026-11-30, or nothing",
    r"^([0-9]{2}:[0-9]{2})?$": "Write the time as 09:30, or nothing",
    r"^[0-9]{4}:[A-Za-z0-9.-]{1,50}$": (
        "Write the scheme of four digits, a colon and the number in it, such as 0192:987654325"
    ),
    r"^([0-9]{4}:[A-Za-z0-9.-]{1,50})?$": (
        "Write the scheme of four digits, a colon and the number in it, such as 0192:987654325, or nothing"
    ),
    r"^https?://[a-zA-Z0-9.-]{1,200}(:[0-9]{1,5})?$": (
        "Write where the site is and nothing after it, such as https://www.example.com"
    ),
    r"^https?://[^\s\"'<>]{1,500}$": (
        "Write a whole web address, such as https://www.example.com/thanks,"
        " without spaces, quotes, < and >"
    ),
}
"""Patterns of things that have a name."""
UNKNOWN = "This is not written as it must be; the API's description shows how"
_PART = re.compile(r"\[(\^?)((?:\\.|[^\]\\])+)\](?:([+*])|\{([0-9]+)(?:,([0-9]+))?\})?")
_ITEM = re.compile(r"(\\x[0-9a-f]{2}|\\.|[^\\])(?:-(\\x[0-9a-f]{2}|\\.|[^\\]))?")
_RANGES = {"a-z": "small letters a to z", "A-Z": "capital letters A to Z", "0-9": "digits"}
_SIGNS = {
    " ": "spaces",
    r"\s": "spaces",
    r"\x00-\x1f": "control characters",
    ".": "full stops",
    "_": "underscores (_)",
    "-": "hyphens (-)",
}


@dataclass(frozen=True, slots=True)
class _Part:
    signs: tuple[str, ...]
    is_outside: bool
    """Whether everything but these is allowed."""
    least: int
    most: int | None


@lru_cache(maxsize=256)
def in_words(pattern: str) -> str:
    """Return what to write where this pattern is asked for."""
    parts = _parts(pattern)
    if pattern in _KNOWN or not parts:
        return _KNOWN.get(pattern, UNKNOWN)
    rest = parts[-1]
    told = f"Any characters but {_joined(rest.signs, 'and')}"
    if not rest.is_outside:
        told = f"Only {_joined(rest.signs, 'and')} are allowed"
    least = sum(one.least for one in parts)
    most = None if rest.most is None else sum(one.most or 0 for one in parts)
    told += _counted(least, most)
    if len(parts) > 1 and parts[0].signs != rest.signs:
        told += f"; the first must be among {_joined(parts[0].signs, 'and')}"
    return told


def _parts(pattern: str) -> list[_Part]:
    """Read a pattern of one or two sets of signs; of any other, nothing."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return []
    parts, at, inner = [], 0, pattern[1:-1]
    while found := _PART.match(inner, at):
        outside, signs, sign, least, most = found.groups()
        low = int(least) if least else 0 if sign == "*" else 1
        high = None if sign else int(most or least or 1)
        parts.append(
            _Part(tuple(_sign(*one) for one in _ITEM.findall(signs)), bool(outside), low, high)
        )
        at = found.end()
    is_whole = at == len(inner) and len(parts) in (1, 2)
    is_plain = all((one.least, one.most) == (1, 1) and not one.is_outside for one in parts[:-1])
    return parts if is_whole and is_plain else []


def _sign(first: str, last: str) -> str:
    if not last:
        return _SIGNS.get(first) or first.removeprefix("\\")
    written = f"{first}-{last}"
    return _RANGES.get(written) or _SIGNS.get(written) or f"{first} to {last}"


def _joined(signs: Sequence[str], word: str) -> str:
    *others, last = signs
    return f"{', '.join(others)} {word} {last}" if others else last


def _counted(least: int, most: int | None) -> str:
    if most is None:
        return ", and at least one" if least == 1 else f", and at least {least}" if least else ""
    if least == most:
        return f", {most} of them"
    return f", {least} to {most} of them" if least > 1 else f", at most {most} of them"


__all__ = ["UNKNOWN", "in_words"]
