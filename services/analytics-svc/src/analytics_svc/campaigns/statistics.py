"""How sure a rate is."""

from dataclasses import dataclass
from math import sqrt

_Z_95 = 1.959963984540054  # two-sided 95 % of the normal distribution


@dataclass(frozen=True, slots=True)
class Interval:
    """A rate and the range in which it lies with 95 % certainty."""

    value: float
    low: float
    high: float


def wilson(hits: int, tries: int) -> Interval | None:
    """Return the rate with Wilson's score interval, which holds for small numbers too; None without tries.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.
    """
    if tries <= 0:
        return None
    share = hits / tries
    square = _Z_95 * _Z_95
    centre = (share + square / (2 * tries)) / (1 + square / tries)
    half = (
        _Z_95
        * sqrt(share * (1 - share) / tries + square / (4 * tries * tries))
        / (1 + square / tries)
    )
    # The ends are exact where the rate is 0 or 1; rounding must not push them past it.
    low = 0.0 if hits == 0 else max(0.0, min(share, centre - half))
    high = 1.0 if hits == tries else min(1.0, max(share, centre + half))
    return Interval(share, low, high)
