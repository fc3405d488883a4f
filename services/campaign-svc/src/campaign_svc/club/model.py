"""The club: its terms and rules, its members, and the ledger of their points."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from campaign_svc.base import Base

Moment = DateTime(timezone=True)


class ClubTerms(Base, table=True):
    """A version of the terms that members join under."""

    __tablename__ = "club_terms"

    version: int = Field(primary_key=True)
    texts: dict[str, str] = Field(sa_type=JSONB)
    published_by: str
    published_at: datetime = Field(sa_type=Moment)


class ClubRules(Base, table=True):
    """How points are earned and when they expire; there is one row."""

    __tablename__ = "club_rules"

    id: int = Field(primary_key=True)
    currency: str
    minor_per_point: int = Field(sa_type=BigInteger)
    expires_after_days: int
    tiers: list[dict[str, Any]] = Field(sa_type=JSONB)
    benefits: list[dict[str, Any]] = Field(sa_type=JSONB)
    expired_until: datetime = Field(sa_type=Moment)
    """Points that were good until then have been looked at."""
    changed_at: datetime = Field(sa_type=Moment)


class ClubMessage(Base, table=True):
    """What is done when something happens to members, as the company has chosen it."""

    __tablename__ = "club_message"

    occasion: str = Field(primary_key=True)
    version: int
    action: dict[str, Any] = Field(sa_type=JSONB)
    days_before: int
    looked_until: datetime = Field(sa_type=Moment)
    """Points that expire before this have been looked at."""
    changed_by: str
    changed_at: datetime = Field(sa_type=Moment)


class Member(Base, table=True):
    """A membership: a contract about points and benefits. It is no consent, and gives none."""

    number: str = Field(primary_key=True)
    person_id: UUID
    merged_id: UUID | None = None
    terms_version: int
    place: str = ""
    joined_at: datetime = Field(sa_type=Moment)
    left_at: datetime | None = Field(default=None, sa_type=Moment)


class ClubOrder(Base, table=True):
    """What a member paid for an order, and what of it came back; points follow from these two."""

    __tablename__ = "club_order"

    order_id: UUID = Field(primary_key=True)
    person_id: UUID
    merged_id: UUID | None = None
    paid_minor: int = Field(default=0, sa_type=BigInteger)
    returned_minor: int = Field(default=0, sa_type=BigInteger)
    is_cancelled: bool = False
    minor_per_point: int = Field(default=0, sa_type=BigInteger)
    """As the rules and the member's tier were when it was paid; nothing while it is not."""
    earn_pct: int = 100
    paid_at: datetime | None = Field(default=None, sa_type=Moment)
    paid_version: int = 0
    """The order's version by which it was last paid, or unpaid again."""


class PointsEntry(Base, table=True):
    """An entry of the ledger; it is never changed, only followed by others."""

    __tablename__ = "points_entry"

    id: UUID = Field(primary_key=True)
    person_id: UUID
    merged_id: UUID | None = None
    kind: str
    points: int = Field(sa_type=BigInteger)
    order_id: UUID | None = None
    reason: str = ""
    by: str = ""
    at: datetime = Field(sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
