"""What a person is worth to the company, and where they stand: both follow from facts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment


class ValueRules(Base, table=True):
    """The bands that the company sets, as one row; without it the defaults hold."""

    __tablename__ = "value_rules"

    id: int = Field(default=1, sa_type=Integer, primary_key=True)
    version: int
    rules: dict[str, Any] = Field(sa_type=JSONB)
    actor: str
    updated_at: datetime = Field(sa_type=Moment)


class PersonValue(Base, table=True):
    """Recency, frequency and money of a person who has ordered; cancelled orders do not count."""

    __tablename__ = "person_value"
    __table_args__ = (
        Index("ix_person_value_class", "rfm_class", "person_id"),
        Index("ix_person_value_tier", "tier", "person_id"),
        Index("ix_person_value_next_at", "next_at"),
        Index("ix_person_value_rules", "rules_version", "person_id"),
    )

    person_id: UUID = Field(primary_key=True)
    version: int
    orders: int
    first_order_at: datetime = Field(sa_type=Moment)
    last_order_at: datetime = Field(sa_type=Moment)
    currency: str
    """The currency in which the person has reached the highest band, the first by name of several."""
    spent_minor: int = Field(sa_type=BigInteger)
    """What all orders in that currency come to."""
    recency: int = Field(sa_type=Integer)
    frequency: int = Field(sa_type=Integer)
    monetary: int = Field(sa_type=Integer)
    rfm_class: str
    tier: str
    rules_version: int
    next_at: datetime | None = Field(default=None, sa_type=Moment)
    """When time alone changes the recency or the lifecycle next."""
    updated_at: datetime = Field(sa_type=Moment)


class LifecycleChange(Base, table=True):
    """A step of a person's lifecycle, and why."""

    __tablename__ = "lifecycle_change"
    __table_args__ = (Index("ix_lifecycle_change_person", "person_id", "at"),)

    id: int | None = Field(
        default=None, sa_type=BigInteger, primary_key=True, sa_column_args=(Identity(always=True),)
    )
    person_id: UUID
    before: str
    after: str
    reason: str
    actor: str
    at: datetime = Field(sa_type=Moment)


class LifecyclePin(Base, table=True):
    """A lifecycle set by hand; the rule does not touch it before that moment."""

    __tablename__ = "lifecycle_pin"

    person_id: UUID = Field(primary_key=True)
    until: datetime = Field(sa_type=Moment, index=True)
    actor: str
    at: datetime = Field(sa_type=Moment)
