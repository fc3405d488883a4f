"""How many parts a text message has, in which alphabet, and which signs make it dear.

Source: 3GPP TS 23.038 (GSM 7 bit default alphabet and its extension) and 23.040 (7 octets of each part of a longer
message are its header); 2026-11.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Each of these takes two places."""
_PLAIN_SIGN = {
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "«": '"', "»": '"',
    "\u2013": "-", "\u2014": "-", "\u2026": "...", "\u00a0": " ", "\u202f": " ", "\u2022": "-", "\t": " ",
    "`": "'", "\u00b4": "'", "\u2212": "-", "\u00ad": "",
}  # fmt: skip
GSM, UCS2 = "gsm7", "ucs2"
_ROOM = {GSM: (160, 153), UCS2: (70, 67)}
MOST_PARTS = 10
"""Longer messages are refused: phones and networks put no more together reliably."""


@dataclass(frozen=True, slots=True)
class Forcing:
    """A sign that the small alphabet does not have; `instead` where a plain one says the same."""

    character: str
    count: int
    instead: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """The size of a text message."""

    encoding: str
    characters: int
    units: int
    """Places used, of the alphabet's own kind."""
    segments: int
    room: int
    """Places left in the last part."""
    forcing: tuple[Forcing, ...]


def count(text: str) -> Count:
    """Count what a text message takes."""
    signs = set(text)
    wide = signs & _EXTENDED
    if signs <= _BASIC or signs - wide <= _BASIC:
        units, alone = len(text) + sum(map(text.count, wide)), _ROOM[GSM][0]
        if units <= alone:  # as nearly all are
            return Count(GSM, len(text), units, 1, alone - units, ())
    strange = [sign for sign in text if sign not in _BASIC and sign not in _EXTENDED]
    if strange:
        segments, units, room = _parts(text, UCS2, lambda sign: 2 if ord(sign) > 0xFFFF else 1)  # noqa: PLR2004
    else:
        segments, units, room = _parts(text, GSM, lambda sign: 2 if sign in _EXTENDED else 1)
    return Count(
        UCS2 if strange else GSM,
        len(text),
        units,
        segments,
        room,
        tuple(
            Forcing(sign, strange.count(sign), _PLAIN_SIGN.get(sign))
            for sign in dict.fromkeys(strange)
        ),
    )


def _parts(text: str, encoding: str, width: Callable[[str], int]) -> tuple[int, int, int]:
    """Return parts, places and what is left of the last part; a sign is never cut in two."""
    alone, each = _ROOM[encoding]
    units = sum(map(width, text))
    if units <= alone:
        return 1, units, alone - units
    segments, used = 1, 0
    for sign in text:
        wide = width(sign)
        if used + wide > each:
            segments, used = segments + 1, 0
        used += wide
    return segments, units, each - used


def plain(text: str) -> str:
    """Return the text with signs of the small alphabet where these say the same."""
    return "".join(_PLAIN_SIGN.get(sign, sign) for sign in text)


def price_minor(number: str, prices: Sequence[tuple[str, int]], usual: int) -> int:
    """Return what a part costs at a number: by the longest beginning that fits, else the usual."""
    fitting = [(len(start), cost) for start, cost in prices if number.startswith(start)]
    return max(fitting)[1] if fitting else usual
