"""Reports that somebody wants to see again, and when they are mailed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from analytics_svc.base import Base


class SavedReport(Base, table=True):
    """A report of the house, a campaign, a customer or a funnel, over so many days until the one on which it is read."""

    __tablename__ = "saved_report"

    id: UUID = Field(primary_key=True)
    name: str = Field(unique=True)
    report: str
    days: int
    currency: str = ""
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    campaign_id: UUID | None = None
    person_id: UUID | None = None
    funnel: dict[str, Any] | None = Field(
        default=None, sa_type=JSONB, sa_column_kwargs={"nullable": True}
    )


class ReportSchedule(Base, table=True):
    """When a saved report is mailed, and to whom. A due date is claimed by moving `next_due_at` on."""

    __tablename__ = "report_schedule"

    id: UUID = Field(primary_key=True)
    saved_id: UUID = Field(
        sa_type=Uuid,
        sa_column_args=[ForeignKey("saved_report.id", ondelete="CASCADE")],
    )
    every: str
    weekday: int | None = None
    month_day: int | None = None
    hour: int
    time_zone: str
    recipients: list[dict[str, Any]] = Field(sa_type=JSONB)
    is_paused: bool = False
    problem: str = ""
    next_due_at: datetime = Field(sa_type=DateTime(timezone=True))
    last_due_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
