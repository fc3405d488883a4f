"""When a wait is over, where the person lives."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FALLBACK = "Europe/Oslo"
"""Of whom no zone is known, or one that this machine does not know."""


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """Return a time zone; the company's own for an unknown one."""
    try:
        return ZoneInfo(name or FALLBACK)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(FALLBACK)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the moment of a time of day. One that the clock leaps over is as much later as the leap is long.

    Of one that comes twice, it is the first.
    """
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def over_at(
    begun: datetime, *, days: int, hours: int, at: time | None, weekdays: Collection[int], zone: str
) -> datetime:
    """Return when a wait is over that begins now: never before it has begun.

    Days are days where the person lives: three days from noon end at noon, also when the clocks change between.
    """
    home = zone_named(zone)
    local = begun.astimezone(home)
    end = instant(local.date() + timedelta(days=days), local.time(), home) if days else begun
    end += timedelta(hours=hours)
    if at is None and not weekdays:
        return end
    day = end.astimezone(home).date()
    while True:
        # Without a time of day it is the one of the end, or midnight of a later day.
        if at is not None:
            moment = instant(day, at, home)
        else:
            moment = end if day == end.astimezone(home).date() else instant(day, time(0), home)
        is_late_enough = moment > begun and moment >= end
        if is_late_enough and (not weekdays or day.isoweekday() in weekdays):
            return moment
        day += timedelta(days=1)


def moment_of(on: date, *, days: int, at: time, zone: str) -> datetime:
    """Return the moment on a date, or so many days before or after it."""
    return instant(on + timedelta(days=days), at, zone_named(zone))
