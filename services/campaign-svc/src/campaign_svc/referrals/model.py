"""Referrals: who brings others, and whom they brought."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field

from campaign_svc.base import Base

Moment = DateTime(timezone=True)


class ReferralRules(Base, table=True):
    """What a referral is worth; there is one row."""

    __tablename__ = "referral_rules"

    id: int = Field(primary_key=True)
    landing_url: str
    points: int
    referrer_series_id: UUID | None = None
    referred_series_id: UUID | None = None
    most_per_day: int
    changed_at: datetime = Field(sa_type=Moment)


class Referrer(Base, table=True):
    """Somebody with a code to pass on, customer or not."""

    code: str = Field(primary_key=True)
    person_id: UUID
    merged_id: UUID | None = None
    made_at: datetime = Field(sa_type=Moment)


class Referral(Base, table=True):
    """Somebody who came with a code."""

    id: UUID = Field(primary_key=True)
    code: str
    person_id: UUID
    merged_id: UUID | None = None
    state: str
    why: str = ""
    """What spoke against it."""
    claimed_at: datetime = Field(sa_type=Moment)
    decided_by: str = ""
    order_id: UUID | None = None
    points: int = 0
    rewarded_at: datetime | None = Field(default=None, sa_type=Moment)
