"""Words of duplicates and merges, for tables and the API alike."""

from enum import StrEnum


class PairState(StrEnum):
    """What was decided about two contacts that look alike."""

    OPEN = "open"
    DISMISSED = "dismissed"
    MERGED = "merged"


class MergeState(StrEnum):
    """What became of a merge."""

    DONE = "done"
    UNDONE = "undone"
    FINAL = "final"
    """The person was erased: what undoing would need is gone."""
