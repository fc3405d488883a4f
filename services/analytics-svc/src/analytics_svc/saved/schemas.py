"""What is saved of a report, and what comes of it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from analytics_svc.funnels.schemas import LONGEST_DAYS, Funnel
from kantis_kit.web.schemas import In, Out


class ReportName(StrEnum):
    """A report of the house, as its path is called; or one of a campaign, a customer or a funnel."""

    COHORTS = "cohorts"
    REPEAT_PURCHASES = "repeat-purchases"
    LISTS = "lists"
    LEAD_MONTHS = "lead-months"
    SATISFACTION = "satisfaction"
    SERVICE_LEVELS = "service-levels"
    RETURNED_POST = "returned-post"
    LOST_POST = "lost-post"
    CAMPAIGN = "campaign"
    CUSTOMER = "customer"
    FUNNEL = "funnel"


ABOUT = {
    "campaign_id": ReportName.CAMPAIGN,
    "person_id": ReportName.CUSTOMER,
    "funnel": ReportName.FUNNEL,
}
"""What must be said of reports that are of one thing, and of no other."""


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
    campaign_id: UUID | None = None
    """Of `campaign`, whose whole report it is, whatever the days."""
    person_id: UUID | None = None
    """Of `customer`, whose whole report it is, whatever the days; it is forgotten together with the person."""
    funnel: Funnel | None = None
    """Of `funnel`; its first step lies in the days, at most 366 of them."""

    @model_validator(mode="after")
    def is_about(self) -> "SavedIn":
        """Refuse a report of nothing, or of what it is not about."""
        for name, report in ABOUT.items():
            given = getattr(self, name) is not None
            if given and self.report is not report:
                message = f"{name}: leave it out, it is for {report.value}"
                raise ValueError(message)
            if not given and self.report is report:
                message = f"{name}: say which, {report.value} is the report of one"
                raise ValueError(message)
        if self.funnel is not None and self.days > LONGEST_DAYS:
            message = f"days: {LONGEST_DAYS} at most for a funnel, which is counted from the facts themselves"
            raise ValueError(message)
        return self


class SavedOut(Out):
    """A saved report."""

    id: UUID
    name: str
    report: ReportName
    days: int
    currency: str
    campaign_id: UUID | None
    person_id: UUID | None
    funnel: Funnel | None
    created_at: datetime


class SavedLines(Out):
    """A saved report as it reads today; the lines are those of the report of that name.

    Of a campaign they are its cells, of a customer a number each.
    """

    saved: SavedOut
    since: date
    until: date
    items: list[dict[str, Any]]
