"""Days where people live: the two-working-day clock, and what date it is."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

WORKING_DAYS = 2
SATURDAY = 5
_ZONES = {
    "NO": "Europe/Oslo",
    "SE": "Europe/Stockholm",
    "DK": "Europe/Copenhagen",
    "FI": "Europe/Helsinki",
    "IS": "Atlantic/Reykjavik",
}
DEFAULT_COUNTRY = "NO"


def answer_due_at(responded_at: datetime, country: str) -> datetime:
    """Return when an answer is due: at the end of the second working day after the day of the response.

    Days and holidays are those of the country; for one whose calendar is not kept here, Norway's.
    """
    known = country if country in _ZONES else DEFAULT_COUNTRY
    zone = ZoneInfo(_ZONES[known])
    day = date_in(responded_at, known)
    left = WORKING_DAYS
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day, known)
    end = datetime.combine(day + timedelta(days=1), time(0), tzinfo=zone)
    return end.astimezone(UTC)


def date_in(moment: datetime, country: str) -> date:
    """Return the date that a moment has in a country; where its zone is not kept here, in Norway."""
    zone = _ZONES.get(country, _ZONES[DEFAULT_COUNTRY])
    return moment.astimezone(ZoneInfo(zone)).date()


def is_working_day(day: date, country: str) -> bool:
    """Say whether offices are open on a day."""
    return day.weekday() < SATURDAY and day not in _holidays(country, day.year)


@lru_cache(maxsize=64)
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))
