"""When somebody sits at the chat, and when a person wants to be called, in whichever zone they said it."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kantis_kit.calendar import is_working_day
from messaging_svc.settings import MessagingSettings


def is_staffed(settings: MessagingSettings, now: datetime) -> bool:
    """Say whether somebody sits at the chat: on working days, between its hours."""
    if settings.chat_never_closes:
        return True
    local = now.astimezone(ZoneInfo(settings.company_time_zone))
    opens, closes = (
        time.fromisoformat(settings.chat_opens),
        time.fromisoformat(settings.chat_closes),
    )
    return opens <= local.time() < closes and is_working_day(local.date(), settings.company_country)


def zone_named(*names: str) -> ZoneInfo:
    """Return the first of these zones that there is; the last one is ours."""
    for name in names:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def wished_moment(day: str, at: str, zone: ZoneInfo) -> datetime | None:
    """Return the moment of a day and a time on somebody's clock; None when there is no such day or time."""
    try:
        local = datetime.combine(date.fromisoformat(day), time.fromisoformat(at), tzinfo=zone)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
