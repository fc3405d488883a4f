"""Who has signed up for what programmes invite to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field

from campaign_svc.base import Base

_MOMENT = DateTime(timezone=True)


class SignUp(Base, table=True):
    """Somebody who comes to an event or a webinar, or has thought better of it."""

    __tablename__ = "sign_up"

    id: UUID = Field(primary_key=True)
    programme_id: UUID
    step: str
    person_id: UUID
    merged_id: UUID | None = None
    language: str
    signed_at: datetime = Field(sa_type=_MOMENT)
    cancelled_at: datetime | None = Field(default=None, sa_type=_MOMENT)
