"""What becomes of a batch of letters."""

from enum import StrEnum


class BatchState(StrEnum):
    """Where a batch of letters stands; the last two are ends."""

    COLLECTING = "collecting"
    PRINTING = "printing"
    READY = "ready"
    HANDED_OVER = "handed_over"
    DISCARDED = "discarded"
