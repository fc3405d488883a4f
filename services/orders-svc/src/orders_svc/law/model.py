"""Rates that were entered after the release: late interest, half-year by half-year."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Numeric
from sqlmodel import Field

from orders_svc.base import Base, Moment


class LawRate(Base, table=True):
    """A rate of late interest for the half-year that begins on a day; it goes before the one of the release."""

    __tablename__ = "law_rate"
    __table_args__ = (CheckConstraint("pct >= 0 AND pct < 100", name="law_rate_pct"),)

    country: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    """The debtor: consumer or business."""
    valid_from: date = Field(primary_key=True)
    pct: Decimal = Field(sa_type=Numeric(6, 3))
    source: str
    set_by: str
    set_at: datetime = Field(sa_type=Moment)
