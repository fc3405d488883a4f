"""Shapes of what is due."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from kantis_kit.web.schemas import Out


class AgeOut(Out):
    """How much waits for a next step, and how old it is."""

    next_step: str
    late: int
    soon: int
    later: int
    first_due_at: datetime


class AgeingOut(Out):
    """What waits, by its next step; `soon` is what is due within the time of the warning."""

    at: datetime
    late: int
    waiting: int
    steps: list[AgeOut]


class WeekOut(Out):
    """What was promised for a week: `kept` in time, `late`, or `waiting` still; the share is of what is decided."""

    week_on: date
    kept: int
    late: int
    waiting: int
    kept_pct: float | None


class UnattendedOut(Out):
    """Something that nobody would be reminded of."""

    what: Literal["order", "response"]
    id: UUID
    since: datetime
    why: str
