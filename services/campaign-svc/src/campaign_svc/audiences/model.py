"""How large the segments are that announce their changes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime
from sqlmodel import Field

from campaign_svc.base import Base

_MOMENT = DateTime(timezone=True)


class SegmentSize(Base, table=True):
    """A segment as contacts-svc last told of it: `revision` decides which number of members is newer."""

    __tablename__ = "segment_size"

    segment_id: UUID = Field(primary_key=True)
    name: str
    revision: int = Field(sa_type=BigInteger)
    members: int = Field(sa_type=BigInteger)
    entered: int = Field(sa_type=BigInteger)
    """Comings and goings since the first that was told."""
    gone: int = Field(sa_type=BigInteger)
    changed_at: datetime = Field(sa_type=_MOMENT)
