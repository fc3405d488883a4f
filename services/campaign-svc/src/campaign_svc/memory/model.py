"""Why people did not buy, as the register has learned it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from campaign_svc.base import Base


class PersonReason(Base, table=True):
    """A reason against buying that somebody gave; it never changes, and may be taken back."""

    __tablename__ = "person_reason"

    insight_id: UUID = Field(primary_key=True)
    person_id: UUID
    merged_id: UUID | None = None
    kind: str
    term: str
    words: dict[str, Any] = Field(sa_type=JSONB)
    said_at: datetime = Field(sa_type=DateTime(timezone=True))
    is_taken_back: bool
