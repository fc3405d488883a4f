"""Coupons: what a series is worth, and each of its codes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime
from sqlmodel import Field

from campaign_svc.base import Base

Moment = DateTime(timezone=True)


class CouponSeries(Base, table=True):
    """What coupons of a series are worth, and when they are good."""

    __tablename__ = "coupon_series"

    id: UUID = Field(primary_key=True)
    name: str
    kind: str
    value_pct: int | None = None
    value_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = None
    gift: str = ""
    least_minor: int = Field(default=0, sa_type=BigInteger)
    """What must be bought for at least."""
    valid_from: datetime = Field(sa_type=Moment)
    valid_until: datetime | None = Field(default=None, sa_type=Moment)
    """The first moment at which it is good no more."""
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    made_by: str
    made_at: datetime = Field(sa_type=Moment)


class Coupon(Base, table=True):
    """A code that is good for one time. Printed ones name nobody; those that were given to somebody do."""

    code: str = Field(primary_key=True)
    series_id: UUID
    person_id: UUID | None = None
    merged_id: UUID | None = None
    reason: str = ""
    """Why the person got it: which rule, which milestone, which benefit."""
    made_at: datetime = Field(sa_type=Moment)
    redeemed_at: datetime | None = Field(default=None, sa_type=Moment)
    redeemed_by: str = ""
    place: str = ""
    receipt: str = ""
