"""How often customers will buy, and for how much: BG/NBD and Gamma-Gamma, fitted by maximum likelihood.

Of each customer three numbers suffice: on how many days they bought after the first one (`again`), when the last of them was
and how long they have been customers (`last` and `age`, both from the first purchase on, in weeks). Equal customers are
counted, not repeated (`count`).

Sources: P. Fader, B. Hardie, K. L. Lee, "Counting Your Customers" the Easy Way, Marketing Science 24 (2005), 275-284;
P. Fader, B. Hardie, The Gamma-Gamma Model of Monetary Value (2013), brucehardie.com/notes/025.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

Numbers = NDArray[np.float64]
LEAST_BUYERS, LEAST_REPEATERS = 100, 30
"""With fewer, four parameters follow chance."""
_TOLERANCE, _MOST_STEPS = 1e-7, 4_000
_LARGEST = (
    12.0  # of the logarithm of a parameter: beyond, the likelihood is flat and the sums overflow
)


class CannotFit(Exception):
    """These customers do not tell enough, or have nothing in common that the model could show."""


@dataclass(frozen=True, slots=True)
class Buying:
    """BG/NBD: how often customers buy (gamma: `r`, `alpha` in weeks) and when they stop (beta: `a`, `b`)."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, again: float, last: float, age: float) -> float:
        """Return the probability that the customer has not stopped."""
        return 1 / (1 + self._stopped(again, last, age))

    def expected(self, again: float, last: float, age: float, weeks: float) -> float:
        """Return on how many days the customer will buy in the weeks to come."""
        # At a = 1 the formula divides nothing by nothing; beside it, it is smooth.
        a = self.a if abs(self.a - 1) > _TOLERANCE else 1 + _TOLERANCE
        whole = self.alpha + age + weeks
        share = ((self.alpha + age) / whole) ** (self.r + again)
        series = hyp2f1(self.r + again, self.b + again, a + self.b + again - 1, weeks / whole)
        never = (a + self.b + again - 1) / (a - 1) * (1 - share * float(series))
        return float(never / (1 + self._stopped(again, last, age)))

    def _stopped(self, again: float, last: float, age: float) -> float:
        if again <= 0:
            return 0.0
        odds = ((self.alpha + age) / (self.alpha + last)) ** (self.r + again)
        return float(self.a / (self.b + again - 1) * odds)


@dataclass(frozen=True, slots=True)
class Spending:
    """Gamma-Gamma: for how much customers buy on a day (`p`, `q`, `v` in minor units)."""

    p: float
    q: float
    v: float

    def expected(self, again: float, mean_minor: float) -> float:
        """Return what the customer will spend on a day, in minor units; of whom nothing is known, what all do."""
        return self.p * (self.v + again * mean_minor) / (self.p * again + self.q - 1)


def fit_buying(
    again: Sequence[float], last: Sequence[float], age: Sequence[float], count: Sequence[float]
) -> Buying:
    """Return the parameters under which these customers are likeliest.

    Raises:
        CannotFit: fewer than 100 customers, or fewer than 30 who bought again, or no maximum.
    """
    x, t, whole, n = (np.asarray(one, dtype=float) for one in (again, last, age, count))
    if n.sum() < LEAST_BUYERS or n[x > 0].sum() < LEAST_REPEATERS:
        raise CannotFit(
            f"{n.sum():.0f} buyers, of them {n[x > 0].sum():.0f} who bought again; it takes {LEAST_BUYERS} and {LEAST_REPEATERS}"
        )
    repeated = x > 0

    def unlikely(logs: Numbers) -> float:
        r, alpha, a, b = np.exp(logs)
        rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        going = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + whole)
        # Whoever bought last long ago may also have stopped right then.
        stopped = np.where(
            repeated,
            betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + t),
            -np.inf,
        )
        return -float((n * (rate + np.logaddexp(going, stopped))).sum() / n.sum())

    return Buying(*_likeliest(unlikely, [0.0, 1.0, 0.0, 0.0]))


def fit_spending(
    again: Sequence[float], mean_minor: Sequence[float], count: Sequence[float]
) -> Spending:
    """Return the parameters under which the means of those who bought again are likeliest.

    Raises:
        CannotFit: fewer than 30 who bought again for money, or no maximum.
    """
    x, mean, n = (np.asarray(one, dtype=float) for one in (again, mean_minor, count))
    kept = (x > 0) & (mean > 0)
    x, mean, n = x[kept], mean[kept], n[kept]
    if n.sum() < LEAST_REPEATERS:
        raise CannotFit(
            f"{n.sum():.0f} customers bought again for money; it takes {LEAST_REPEATERS}"
        )
    scale = float((n * mean).sum() / n.sum())
    m = mean / scale

    def unlikely(logs: Numbers) -> float:
        p, q, v = np.exp(logs)
        found = (
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
            + (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(x * m + v)
        )  # fmt: skip
        return -float((n * found).sum() / n.sum())

    p, q, v = _likeliest(unlikely, [1.0, 1.0, 0.0])
    if q <= 1:
        raise CannotFit("what customers spend varies so much that its mean has no end")
    return Spending(p, q, v * scale)


def _likeliest(unlikely: Callable[[Numbers], float], start: Sequence[float]) -> list[float]:
    """Return the parameters, all above zero, at which the mean negative log-likelihood is least."""

    def bounded(logs: Numbers) -> float:
        over = float(np.maximum(np.abs(logs) - _LARGEST, 0).sum())
        value = unlikely(np.clip(logs, -_LARGEST, _LARGEST))
        return value + over if np.isfinite(value) else 1e12

    options: dict[str, Any] = {
        "xatol": _TOLERANCE, "fatol": _TOLERANCE * 1e-3, "maxiter": _MOST_STEPS, "maxfev": _MOST_STEPS,
    }  # fmt: skip
    with np.errstate(all="ignore"):
        found = minimize(bounded, np.asarray(start), method="Nelder-Mead", options=options)
    if not found.success or np.abs(found.x).max() >= _LARGEST:
        raise CannotFit("the likelihood has no maximum: these customers are too much alike")
    return [float(one) for one in np.exp(found.x)]
