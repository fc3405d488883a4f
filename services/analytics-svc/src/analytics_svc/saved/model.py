"""Reports that somebody wants to see again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field

from analytics_svc.base import Base


class SavedReport(Base, table=True):
    """A report of the house, over so many days until the one on which it is read."""

    __tablename__ = "saved_report"

    id: UUID = Field(primary_key=True)
    name: str = Field(unique=True)
    report: str
    days: int
    currency: str = ""
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
