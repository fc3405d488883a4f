"""Is one cell better than another: a test that stays valid whenever one looks, and the size that finds a difference.

The mixture sequential probability ratio test of two rates: the likelihood of the difference that is seen, averaged over
differences drawn from N(0, tau^2), against that of no difference. One divided by the largest ratio so far is a p-value
that holds at every moment at once, so looking often names no more winners in error. Rates are near enough to normal
once a cell has some successes and some failures; before that nothing is said. Pure.

Source: Johari, Koomen, Pekelis, Walsh, "Always Valid Inference", Operations Research 70(3), 2022, equation 10.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import ceil, exp, sqrt
from statistics import NormalDist
from typing import TypeVar

KeyT = TypeVar("KeyT")
FEWEST = 10
"""Successes and failures that each cell must have before its rate counts as nearly normal."""
_MOST = 700.0  # exp() of more is no number


@dataclass(frozen=True, slots=True)
class Tally:
    """How many were sent to, and how many of them did it."""

    sent: int
    successes: int

    @property
    def rate(self) -> float:
        """The share that did it."""
        return self.successes / self.sent if self.sent else 0.0

    @property
    def is_readable(self) -> bool:
        """There is enough to speak of a rate."""
        return min(self.successes, self.sent - self.successes) >= FEWEST

    @property
    def variance(self) -> float:
        """How uncertain the rate is."""
        return self.rate * (1 - self.rate) / self.sent


def mixture_ratio(difference: float, variance: float, tau: float) -> float:
    """Return the mixture likelihood ratio of a difference that is known with this variance."""
    wider = variance + tau**2
    return sqrt(variance / wider) * exp(min(_MOST, tau**2 * difference**2 / (2 * variance * wider)))


def p_value(one: Tally, other: Tally, tau: float) -> float:
    """Return how surprising the difference would be if there were none; 1 while there is too little to say."""
    if not (one.is_readable and other.is_readable):
        return 1.0
    ratio = mixture_ratio(one.rate - other.rate, one.variance + other.variance, tau)
    return min(1.0, 1 / ratio)


def pairs(tallies: Mapping[KeyT, Tally]) -> list[tuple[KeyT, KeyT]]:
    """Return what is compared with what."""
    return list(combinations(tallies, 2))


def winner_of(
    tallies: Mapping[KeyT, Tally], p_values: Mapping[tuple[KeyT, KeyT], float], alpha: float
) -> KeyT | None:
    """Return the cell that beats every other one, or None.

    `alpha` bounds the chance of any winner in error over all pairs (Bonferroni).
    """
    if len(tallies) < 2:  # noqa: PLR2004 - a comparison takes two
        return None
    best = max(tallies, key=lambda key: tallies[key].rate)
    bound = alpha / len(pairs(tallies))
    rivals = [p for pair, p in p_values.items() if best in pair]
    return best if rivals and max(rivals) <= bound else None


def sample_size(rate: float, other: float, *, alpha: float, power: float = 0.8) -> int:
    """Return how many per cell a test with one look at its end needs to find this difference.

    A sequential test may end much earlier when the difference is larger, and needs more when it is not there.

    Source: power.prop.test of R's stats package (Fleiss, Statistical Methods for Rates and Proportions).
    """
    normal = NormalDist()
    middle = (rate + other) / 2
    by_chance = normal.inv_cdf(1 - alpha / 2) * sqrt(2 * middle * (1 - middle))
    by_power = normal.inv_cdf(power) * sqrt(rate * (1 - rate) + other * (1 - other))
    return ceil((by_chance + by_power) ** 2 / (rate - other) ** 2)
