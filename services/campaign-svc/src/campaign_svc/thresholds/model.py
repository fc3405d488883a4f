"""Thresholds that the company has set."""

from datetime import datetime

from sqlalchemy import DateTime
from sqlmodel import Field

from campaign_svc.base import Base


class Threshold(Base, table=True):
    """A threshold of the company's own; without a row the default holds."""

    code: str = Field(primary_key=True)
    yellow: int | None = None
    red: int | None = None
    set_by: str
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))
