"""Tables of segments and frozen audiences."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment


class Segment(Base, table=True):
    """A named condition over what is known of people."""

    id: UUID = Field(primary_key=True)
    name: str
    version: int = 1
    condition: dict[str, Any] = Field(sa_type=JSONB)
    is_active: bool = True
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class FrozenAudience(Base, table=True):
    """A segment as it was at a launch; made once per launch."""

    __tablename__ = "frozen_audience"

    launch_id: UUID = Field(primary_key=True)
    campaign_id: UUID
    segment_id: UUID
    segment_name: str
    condition: dict[str, Any] = Field(sa_type=JSONB)
    channel: str
    purpose: str
    total: int
    frozen_at: datetime = Field(sa_type=Moment)


class FrozenMember(Base, table=True):
    """A person in a frozen audience, and why."""

    __tablename__ = "frozen_member"

    launch_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True, index=True)
    because: list[str] = Field(sa_type=JSONB)
