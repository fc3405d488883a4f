"""When a schedule is due next."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from analytics_svc.saved.model import ReportSchedule
from analytics_svc.schedules.schemas import Every

_LONGEST_GAP = 33
"""Days from one due date to the next, with one to spare for the hour."""


def next_due(schedule: ReportSchedule, after: datetime) -> datetime:
    """Return the first due date after a moment; an hour that a change of clocks leaves out is taken an hour later."""
    zone = ZoneInfo(schedule.time_zone)
    first = after.astimezone(zone).date()
    for days in range(_LONGEST_GAP):
        day = first + timedelta(days=days)
        is_day = {
            Every.DAY: True,
            Every.WEEK: day.isoweekday() == schedule.weekday,
            Every.MONTH: day.day == schedule.month_day,
        }[Every(schedule.every)]
        at = datetime.combine(day, time(schedule.hour), zone).astimezone(UTC)
        if is_day and at > after:
            return at
    message = f"schedule {schedule.id} has no next day"
    raise ValueError(message)
