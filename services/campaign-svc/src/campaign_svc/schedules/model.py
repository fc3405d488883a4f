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
    changed_at: datetime = Field(sa_type=_MOMENT)
