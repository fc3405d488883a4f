"""When a saved report is mailed, and to whom."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Out

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        message = f"{name!r} is no time zone; take one such as Europe/Oslo"
        raise ValueError(message) from error
    return name


class Every(StrEnum):
    """How often."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Recipient(In):
    """One of our own addresses, and the language of its mail."""

    email: Email
    name: Annotated[str, StringConstraints(max_length=120)] = ""
    language: Language = Language.EN


class ScheduleIn(In):
    """When a report is mailed: at a full hour of every day, of a day of the week, or of a day of the month."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "every": "week",
                    "weekday": 1,
                    "hour": 7,
                    "time_zone": "Europe/Oslo",
                    "recipients": [{"email": "kari@lys.example", "name": "Kari", "language": "nb"}],
                }
            ]
        }
    )

    every: Every
    weekday: Annotated[int | None, Field(ge=1, le=7)] = None
    """Of a week: 1 is Monday."""
    month_day: Annotated[int | None, Field(ge=1, le=28)] = None
    """Of a month: a day that each month has."""
    hour: Annotated[int, Field(ge=0, le=23)] = 7
    time_zone: Annotated[str, StringConstraints(max_length=60), AfterValidator(_is_zone)] = (
        "Europe/Oslo"
    )
    recipients: Annotated[list[Recipient], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def is_schedule(self) -> "ScheduleIn":
        """Refuse a day that the schedule does not have, or lacks, and an address that is there twice."""
        for name, every in (("weekday", Every.WEEK), ("month_day", Every.MONTH)):
            given = getattr(self, name) is not None
            if given != (self.every is every):
                message = f"{name}: " + (
                    f"leave it out, it is for every={every.value}"
                    if given
                    else f"say it, every={every.value} needs it"
                )
                raise ValueError(message)
        emails = [one.email.lower() for one in self.recipients]
        if len(set(emails)) < len(emails):
            message = "recipients: an address is there twice; name each once"
            raise ValueError(message)
        return self


class RecipientOut(Out):
    """Who gets it."""

    email: str
    name: str
    language: Language


class ScheduleOut(Out):
    """A schedule. `next_due_at` is when the next mail goes; null while it is paused."""

    id: UUID
    saved_id: UUID
    report_name: str
    every: Every
    weekday: int | None
    month_day: int | None
    hour: int
    time_zone: str
    recipients: list[RecipientOut]
    is_paused: bool
    problem: str
    """Why it has paused itself, such as that its campaign is gone; empty otherwise."""
    next_due_at: datetime | None
    last_due_at: datetime | None
    created_at: datetime
