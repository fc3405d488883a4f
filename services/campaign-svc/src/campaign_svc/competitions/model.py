"""Competitions: what was promised before, and who entered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field

from campaign_svc.base import Base

Moment = DateTime(timezone=True)


class Competition(Base, table=True):
    """A competition whose winners are drawn by a seed that was promised before."""

    id: UUID = Field(primary_key=True)
    name: str
    prizes: int
    is_for_members: bool
    beacon_source: str = ""
    """Which public number of the future the draw uses, such as the lottery's on the day after."""
    seed: str
    commitment: str
    closes_at: datetime = Field(sa_type=Moment)
    made_by: str
    made_at: datetime = Field(sa_type=Moment)
    beacon: str = ""
    drawn_by: str = ""
    drawn_at: datetime | None = Field(default=None, sa_type=Moment)


class CompetitionEntry(Base, table=True):
    """An entry; the ticket says nothing about whose it is."""

    __tablename__ = "competition_entry"

    ticket: str = Field(primary_key=True)
    competition_id: UUID
    person_id: UUID | None
    merged_id: UUID | None = None
    entered_at: datetime = Field(sa_type=Moment)
    rank: int | None = None
    """Which prize it has won."""
