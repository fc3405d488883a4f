"""How good what is known of a person is: rules alone, no I/O and no clock."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

WEIGHTS = {"completeness": 30, "validity": 25, "reachability": 25, "freshness": 20}
"""What each part counts of the score, in percent."""
FRESH = (
    (timedelta(days=180), 100),
    (timedelta(days=365), 75),
    (timedelta(days=730), 50),
    (timedelta(days=1_095), 25),
)
"""How much a sign of life of at most this age is worth."""
_REACH = {"reachable": 100, "unknown": 70, "undeliverable": 0}
_PARTS = ("name", "preferred_name", "email", "phone", "address")


@dataclass(frozen=True, slots=True)
class Held:
    """An e-mail address or phone number as it is held."""

    kind: str
    validity: str
    reachability: str
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person, as far as its quality goes. `seen_at` is the last sign of life."""

    name: str
    preferred_name: str
    has_address: bool
    identifiers: Sequence[Held]
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Score:
    """The quality in percent, its parts, and what would mend it."""

    completeness: int
    validity: int
    reachability: int
    freshness: int
    findings: tuple[str, ...]

    @property
    def score(self) -> int:
        """All parts together, by their weights."""
        parts = asdict(self)
        return round(sum(int(parts[name]) * weight for name, weight in WEIGHTS.items()) / 100)


def score(known: Known, now: datetime) -> Score:
    """Return how good what is known of a person is."""
    kinds = {one.kind for one in known.identifiers}
    there = {
        "name": bool(known.name),
        "preferred_name": bool(known.preferred_name),
        "email": "email" in kinds,
        "phone": "phone" in kinds,
        "address": known.has_address,
    }
    held = known.identifiers
    first = [one for one in held if one.is_primary] or list(held)
    freshness = next((worth for age, worth in FRESH if now - known.seen_at <= age), 0)
    findings = [f"missing_{name}" for name in _PARTS if not there[name]]
    findings += sorted({f"invalid_{one.kind}" for one in held if one.validity != "valid"})
    findings += sorted(
        {f"undeliverable_{one.kind}" for one in held if one.reachability == "undeliverable"}
    )
    if freshness < FRESH[1][1]:
        findings.append("no_sign_of_life_in_a_year")
    return Score(
        completeness=100 * sum(there.values()) // len(there),
        validity=_mean([100 * (one.validity == "valid") for one in held]),
        reachability=_mean([_REACH.get(one.reachability, 0) for one in first]),
        freshness=freshness,
        findings=tuple(findings),
    )


def _mean(values: Sequence[int]) -> int:
    return round(sum(values) / len(values)) if values else 0
