"""What is saved of a report, and what comes of it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from kantis_kit.web.schemas import In, Out


class ReportName(StrEnum):
    """A report of the house, as its path is called."""

    COHORTS = "cohorts"
    REPEAT_PURCHASES = "repeat-purchases"
    LISTS = "lists"
    LEAD_MONTHS = "lead-months"
    SATISFACTION = "satisfaction"
    SERVICE_LEVELS = "service-levels"
    RETURNED_POST = "returned-post"
    LOST_POST = "lost-post"


class SavedIn(In):
    """A report to be saved: its lines are made anew whenever it is read, over the last `days` days."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Two days, this quarter", "report": "service-levels", "days": 92}]}
    )  # fmt: skip

    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    report: ReportName
    days: Annotated[int, Field(ge=1, le=3_653)] = 365
    currency: Annotated[str, StringConstraints(pattern=r"^([A-Z]{3})?$")] = ""
    """Of cohorts and repeat purchases; empty is every currency."""


class SavedOut(Out):
    """A saved report."""

    id: UUID
    name: str
    report: ReportName
    days: int
    currency: str
    created_at: datetime


class SavedLines(Out):
    """A saved report as it reads today; the lines are those of the report of that name."""

    saved: SavedOut
    since: date
    until: date
    items: list[dict[str, Any]]
