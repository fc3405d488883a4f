"""Care models: how the company wants to treat the people of a segment, and what it wants to reach with them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from campaign_svc.base import Base

Moment = DateTime(timezone=True)


class CareModel(Base, table=True):
    """The care of a segment."""

    __tablename__ = "care_model"

    id: UUID = Field(primary_key=True)
    segment_id: UUID
    name: str
    version: int = 1
    goals: list[dict[str, Any]] = Field(sa_type=JSONB)
    offering: list[str] = Field(sa_type=JSONB)
    cadence: list[dict[str, Any]] = Field(sa_type=JSONB)
    channel_mix: dict[str, int] = Field(sa_type=JSONB)
    most_per_month: int
    changed_by: str
    changed_at: datetime = Field(sa_type=Moment)


class CareMember(Base, table=True):
    """Somebody of a segment that is cared for, or no longer; the higher revision knows."""

    __tablename__ = "care_member"

    id: UUID = Field(primary_key=True)
    segment_id: UUID
    person_id: UUID
    merged_id: UUID | None = None
    revision: int = Field(sa_type=BigInteger)
    is_in: bool
    changed_at: datetime = Field(sa_type=Moment)
