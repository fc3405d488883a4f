"""Between which hours people may be reached, by country and channel, and on which days they rest: dated data.

A row never changes: what is new gets a row with a later date, written by a migration of its own. A company sets hours
of its own by the API; those hold before these. E-mail, letters and the web have no hours by default: they ring nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening and closing minute of the day for Monday to Sunday; None is a day on which nothing begins."""

    country: str
    """Empty: every country that has no row of its own."""
    channel: str
    valid_from: date
    opens: tuple[int | None, ...]
    closes: tuple[int | None, ...]
    rests_on_holidays: bool
    source: str


def _week(
    opens: int, closes: int, *, saturday: tuple[int, int] | None = None
) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
    """Return the minutes of a week whose weekdays open and close at these hours; Sundays have none."""
    first, last = saturday or (None, None)
    return (
        (*[opens * 60] * 5, first and first * 60, None),
        (*[closes * 60] * 5, last and last * 60, None),
    )


_SMS = _week(8, 21, saturday=(9, 18))
_CALLS = _week(9, 20)
_CALLS_NO = _week(9, 21)
_FIRST = date(2026, 1, 1)

HOURS = (
    Hours("", "sms", _FIRST, _SMS[0], _SMS[1], rests_on_holidays=True, source="our rule"),
    Hours("", "phone", _FIRST, _CALLS[0], _CALLS[1], rests_on_holidays=True, source="our rule"),
    Hours(
        "NO", "phone", _FIRST, _CALLS_NO[0], _CALLS_NO[1], rests_on_holidays=True,
        source="markedsføringsloven § 14: calls on weekdays from 9 to 21 only (to verify)",
    ),
)  # fmt: skip

FIRST_YEAR, LAST_YEAR = 2026, 2040

# Days from Easter Sunday, and fixed days as (month, day); Sundays themselves are days without hours.
_EASTER = {
    "NO": (-3, -2, 1, 39, 50),
    "SE": (-2, 1, 39),
    "DK": (-3, -2, 1, 39, 50),
    "FI": (-2, 1, 39),
}
_FIXED = {
    "NO": ((1, 1), (5, 1), (5, 17), (12, 25), (12, 26)),
    "SE": ((1, 1), (1, 6), (5, 1), (6, 6), (12, 25), (12, 26)),
    "DK": ((1, 1), (12, 25), (12, 26)),
    "FI": ((1, 1), (1, 6), (5, 1), (12, 6), (12, 25), (12, 26)),
}
_SATURDAYS = {"SE": ((6, 20), (10, 31)), "FI": ((6, 20), (10, 31))}
"""The Saturday on or after these days: Midsummer and All Saints."""


def easter(year: int) -> date:
    """Return Easter Sunday (the Gregorian computus of Meeus, Jones and Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    rest = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * rest) // 451
    month, day = divmod(h + rest - 7 * m + 114, 31)
    return date(year, month, day + 1)


def holidays() -> Iterator[tuple[str, date]]:
    """Return the public holidays of each country that has any, as (country, day)."""
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        sunday = easter(year)
        for country, offsets in _EASTER.items():
            days = {sunday + timedelta(days=offset) for offset in offsets}
            days |= {date(year, *day) for day in _FIXED[country]}
            for month, first in _SATURDAYS.get(country, ()):
                start = date(year, month, first)
                days.add(start + timedelta(days=(5 - start.weekday()) % 7))
            yield from ((country, day) for day in sorted(days))
