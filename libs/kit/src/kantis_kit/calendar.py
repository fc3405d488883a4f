"""Days where people live: the two-working-day clock, and what date it is."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

WORKING_DAYS = 2
SATURDAY = 5
ZONES = {
    "NO": "Europe/Oslo",
    "SE": "Europe/Stockholm",
    "DK": "Europe/Copenhagen",
    "FI": "Europe/Helsinki",
    "IS": "Atlantic/Reykjavik",
}
"""Where the people of a country live, of whom no zone is known."""
DEFAULT_COUNTRY = "NO"


def answer_due_at(came_at: datetime, country: str, *, working_days: int = WORKING_DAYS) -> datetime:
    """Return when an answer is due: at the end of the second working day after the day on which somebody wrote.

    Days and holidays are those of the country; for one whose calendar is not kept here, Norway's.
    """
    known = country if country in ZONES else DEFAULT_COUNTRY
    zone = ZoneInfo(ZONES[known])
    day = date_in(came_at, known)
    left = working_days
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day, known)
    end = datetime.combine(day + timedelta(days=1), time(0), tzinfo=zone)
    return end.astimezone(UTC)


def date_in(moment: datetime, country: str) -> date:
    """Return the date that a moment has in a country; where its zone is not kept here, in Norway."""
    zone = ZONES.get(country, ZONES[DEFAULT_COUNTRY])
    return moment.astimezone(ZoneInfo(zone)).date()


def is_working_day(day: date, country: str) -> bool:
    """Say whether offices are open on a day."""
    return day.weekday() < SATURDAY and day not in _holidays(country, day.year)


@lru_cache(maxsize=64)
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))
