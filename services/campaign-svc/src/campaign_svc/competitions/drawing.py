"""How winners are drawn: by a seed that is promised before anybody enters, so that everybody can draw once more.

Before: the commitment, SHA-256 of the seed in hexadecimal, is shown with the competition. After: the seed is shown, with
the public number (`beacon`) that was promised, and all tickets. Anybody checks that SHA-256 of the seed is the commitment,
sorts the tickets by SHA-256 of `seed:beacon:list:ticket`, where `list` is SHA-256 of the sorted tickets, one per line, and
finds the winners first. A company that knows the seed cannot know the list, and cannot know a public number of the future.
"""

from collections.abc import Iterable
from hashlib import sha256


def commitment(seed: str) -> str:
    """Return what is shown of a seed before the draw."""
    return sha256(seed.encode()).hexdigest()


def list_digest(tickets: Iterable[str]) -> str:
    """Return what stands for the whole list of tickets."""
    return sha256("\n".join(sorted(tickets)).encode()).hexdigest()


def ranked(seed: str, beacon: str, tickets: Iterable[str]) -> list[str]:
    """Return the tickets in the order in which they win."""
    listed = sorted(tickets)
    digest = list_digest(listed)
    return sorted(
        listed, key=lambda one: sha256(f"{seed}:{beacon}:{digest}:{one}".encode()).hexdigest()
    )


RECIPE = (
    "Check that sha256(seed) is the commitment. Let list = sha256 of all tickets, sorted, one per line (\\n between them)."
    " Sort the tickets by sha256(seed:beacon:list:ticket), all in hexadecimal: the first are the winners."
)
