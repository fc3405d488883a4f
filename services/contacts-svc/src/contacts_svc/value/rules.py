"""How value and lifecycle follow from what a person has ordered: rules alone, no I/O and no clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from kantis_contracts.contacts import Lifecycle
from kantis_kit.web.schemas import In

BANDS = 5
ANY_CURRENCY = "*"
_BOUNDS = BANDS - 1
CurrencyKey = Annotated[str, StringConstraints(pattern=r"^([A-Z]{3}|\*)$")]
Days = Annotated[int, Field(ge=1, le=36_500)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Minor = Annotated[int, Field(ge=0, le=10**15)]
Points = Annotated[int, Field(ge=3, le=15)]


def _climbs(values: Sequence[int]) -> bool:
    return all(low < high for low, high in pairwise(values))


class Tiers(In):
    """The fewest points (recency + frequency + money, 3 to 15) of each tier; whoever has fewer is in tier D."""

    a: Points = 13
    b: Points = 10
    c: Points = 7


class LifecycleDays(In):
    """How long after an order each step lasts."""

    new_days: Days = Field(default=90, description="A first order makes somebody new for so long")
    active_days: Days = Field(default=180, description="Active while the last order is younger")
    lapsed_days: Days = Field(default=365, description="Lapsed when the last order is older")


def _nordic() -> dict[str, list[int]]:
    krone = [50_000, 200_000, 500_000, 1_500_000]
    return {
        "NOK": krone,
        "SEK": krone,
        "DKK": [value * 2 // 3 for value in krone],
        "EUR": [5_000, 20_000, 50_000, 150_000],
        "ISK": [700_000, 2_800_000, 7_000_000, 21_000_000],
        ANY_CURRENCY: [5_000, 20_000, 50_000, 150_000],
    }


class Rules(In):
    """The bands of recency, frequency and money, the tiers, and the days of the lifecycle."""

    recency_days: list[Days] = Field(
        default=[30, 90, 180, 365],
        min_length=_BOUNDS,
        max_length=_BOUNDS,
        description="Four climbing numbers: 5 points below the first, 1 from the last on",
    )
    frequency_orders: list[Count] = Field(
        default=[2, 3, 5, 10],
        min_length=_BOUNDS,
        max_length=_BOUNDS,
        description="Four climbing numbers: 1 point below the first, 5 from the last on",
    )
    monetary_minor: dict[
        CurrencyKey, Annotated[list[Minor], Field(min_length=_BOUNDS, max_length=_BOUNDS)]
    ] = Field(
        default_factory=_nordic,
        max_length=50,
        description="Per currency, and * for all others, four climbing sums in minor units",
    )
    tiers: Tiers = Field(default_factory=Tiers)
    lifecycle: LifecycleDays = Field(default_factory=LifecycleDays)

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse bands that do not climb, and tiers and days out of order."""
        for name, bounds in (
            ("recency_days", self.recency_days),
            ("frequency_orders", self.frequency_orders),
            *((f"monetary_minor.{key}", one) for key, one in self.monetary_minor.items()),
        ):
            if not _climbs(bounds):
                message = f"{name}: each number must be greater than the one before"
                raise ValueError(message)
        if ANY_CURRENCY not in self.monetary_minor:
            message = "monetary_minor: give * too, for the currencies that are not named"
            raise ValueError(message)
        if not _climbs([self.tiers.c, self.tiers.b, self.tiers.a]):
            message = "tiers: a needs more points than b, b more than c"
            raise ValueError(message)
        if self.lifecycle.active_days >= self.lifecycle.lapsed_days:
            message = "lifecycle: lapsed_days must be greater than active_days"
            raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True)
class Bought:
    """What a person has ordered altogether; cancelled orders are left out."""

    person_id: UUID
    orders: int
    first_at: datetime
    last_at: datetime
    spent_minor: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Value:
    """What follows from it."""

    recency: int
    frequency: int
    monetary: int
    currency: str
    spent_minor: int
    rfm_class: str
    tier: str
    lifecycle: Lifecycle
    next_at: datetime | None


def judge(rules: Rules, bought: Bought, now: datetime) -> Value:
    """Return a person's value at a moment, and the next moment at which time alone changes it."""
    recency = BANDS - sum(now >= bought.last_at + timedelta(days=n) for n in rules.recency_days)
    frequency = 1 + sum(bought.orders >= bound for bound in rules.frequency_orders)
    monetary, currency = _money(rules, bought.spent_minor)
    return Value(
        recency=recency,
        frequency=frequency,
        monetary=monetary,
        currency=currency,
        spent_minor=bought.spent_minor[currency],
        rfm_class=classify(recency, frequency, monetary, bought.orders),
        tier=_tier(rules.tiers, recency + frequency + monetary),
        lifecycle=_lifecycle(rules.lifecycle, bought, now),
        next_at=_next(rules, bought, now),
    )


def _money(rules: Rules, spent: Mapping[str, int]) -> tuple[int, str]:
    """Return the highest band of any currency, and the first currency by name that reaches it; nothing is converted."""
    best, currency = 0, ""
    for name in sorted(spent):
        bounds = rules.monetary_minor.get(name) or rules.monetary_minor[ANY_CURRENCY]
        band = 1 + sum(spent[name] >= bound for bound in bounds)
        if band > best:
            best, currency = band, name
    return best, currency


_HIGH, _MIDDLE, _LOW = 4, 3, 2


@dataclass(frozen=True, slots=True)
class _Points:
    r: int
    f: int
    m: int
    orders: int


_CLASSES: Mapping[str, Callable[[_Points], bool]] = {
    "lost": lambda p: p.r == 1,
    "at_risk": lambda p: p.r <= _LOW and (p.f >= _MIDDLE or p.m >= _HIGH),
    "sleeping": lambda p: p.r <= _LOW,
    "new": lambda p: p.orders == 1 and p.r >= _HIGH,
    "one_time": lambda p: p.orders == 1,
    "champion": lambda p: min(p.r, p.f, p.m) >= _HIGH,
    "loyal": lambda p: p.f >= _HIGH,
    "big_spender": lambda p: p.m >= _HIGH,
    "promising": lambda p: p.r >= _HIGH,
    "regular": lambda _: True,
}
"""What a person is to the company by their points: the first that holds."""

CLASSES = tuple(_CLASSES)


def classify(recency: int, frequency: int, monetary: int, orders: int) -> str:
    """Name what a person is to the company by their points."""
    points = _Points(recency, frequency, monetary, orders)
    return next(name for name, holds in _CLASSES.items() if holds(points))


TIERS = ("A", "B", "C", "D")


def _tier(tiers: Tiers, points: int) -> str:
    for name, fewest in zip(TIERS, (tiers.a, tiers.b, tiers.c), strict=False):
        if points >= fewest:
            return name
    return TIERS[-1]


def _lifecycle(days: LifecycleDays, bought: Bought, now: datetime) -> Lifecycle:
    age = now - bought.last_at
    if age >= timedelta(days=days.lapsed_days):
        return Lifecycle.LAPSED
    if age >= timedelta(days=days.active_days):
        return Lifecycle.PASSIVATING
    if bought.orders == 1 and age < timedelta(days=days.new_days):
        return Lifecycle.NEW
    return Lifecycle.ACTIVE


def _next(rules: Rules, bought: Bought, now: datetime) -> datetime | None:
    days = rules.lifecycle
    flips = (*rules.recency_days, days.new_days, days.active_days, days.lapsed_days)
    coming = [at for n in flips if (at := bought.last_at + timedelta(days=n)) > now]
    return min(coming, default=None)
