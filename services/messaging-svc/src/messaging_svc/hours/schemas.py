"""What the API takes and shows of hours."""

from datetime import date, datetime, time
from typing import Self

from pydantic import Field, model_validator

from kantis_contracts.values import Channel
from kantis_kit.web.schemas import In, Out

MIDNIGHT = "24:00"


class DayIn(In):
    """From when to when messages may begin on a weekday, in the recipient's own time."""

    opens: time
    closes: time | None = Field(default=None, description="Left out: midnight")

    @model_validator(mode="after")
    def make_sense(self) -> Self:
        """Refuse a day that ends before it begins, and times that are not whole minutes of the local day."""
        for name, moment in (("opens", self.opens), ("closes", self.closes)):
            if moment and (moment.second or moment.microsecond or moment.tzinfo):
                message = f"{name}: give hours and minutes of the recipient's day, such as 08:30"
                raise ValueError(message)
        if self.closes is not None and self.closes <= self.opens:
            message = "closes: must be later than opens"
            raise ValueError(message)
        return self


class HoursIn(In):
    """Hours of a channel, Monday first; null is a day on which nothing begins."""

    days: list[DayIn | None] = Field(min_length=7, max_length=7)
    rests_on_holidays: bool = True
    valid_from: date | None = Field(default=None, description="Left out: from today on")


class DayOut(Out):
    """From when to when messages may begin on a weekday; 24:00 is midnight."""

    opens: str
    closes: str


class HoursOut(Out):
    """Hours of a channel in a country; an empty country is every one that has no row of its own."""

    channel: Channel
    country: str
    is_own: bool = Field(description="Set by the company: holds before the defaults")
    valid_from: date
    days: list[DayOut | None]
    rests_on_holidays: bool
    source: str
    changed_at: datetime
