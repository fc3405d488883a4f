"""When campaigns are to be launched."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from campaign_svc.base import Base

_MOMENT = DateTime(timezone=True)


class Schedule(Base, table=True):
    """The moment of a campaign's launch, and what came of it."""

    campaign_id: UUID = Field(primary_key=True)
    launch_at: datetime = Field(sa_type=_MOMENT)
    state: str
    sign_off: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    problem: str = ""
    set_by: str
    repeat_days: int | None = None
    """So many days after each launch the campaign is launched again, as a copy of its own."""
    repeat_until: datetime | None = Field(default=None, sa_type=_MOMENT)
    changed_at: datetime = Field(sa_type=_MOMENT)
