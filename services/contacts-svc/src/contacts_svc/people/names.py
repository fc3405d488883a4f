"""When two names are of two people."""

import re
import unicodedata
from collections.abc import Mapping

_WORD = re.compile(r"[^\W\d_]{2,}")


def words_of(known: Mapping[str, str]) -> frozenset[str]:
    """Return the words of a name, without initials, case and accents; `å` and `ø` are letters, no accents."""
    text = known.get("full_name") or " ".join(
        known.get(name, "") for name in ("given_name", "family_name")
    )
    text = text if text.strip() else known.get("preferred_name", "")
    return frozenset(_WORD.findall(unicodedata.normalize("NFC", text).casefold()))


def are_different(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Say whether two names are surely of two people: each has a word that the other lacks.

    `Kari Nes` and `Ola Nes` are two; `Kari` and `Kari Nes`, `K. Nes` and `Kari Nes` may be one.
    """
    first, second = words_of(one), words_of(other)
    return bool(first - second) and bool(second - first)
