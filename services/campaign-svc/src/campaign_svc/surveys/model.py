"""Surveys, what people answered, and the ideas of panels with their votes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from campaign_svc.base import Base

Moment = DateTime(timezone=True)


class Survey(Base, table=True):
    """Questions in five languages; a panel collects ideas beside them, a beta test has seats."""

    id: UUID = Field(primary_key=True)
    name: str
    kind: str
    titles: dict[str, str] = Field(sa_type=JSONB)
    questions: list[dict[str, Any]] = Field(sa_type=JSONB)
    seats: int | None = None
    made_by: str
    made_at: datetime = Field(sa_type=Moment)
    closes_at: datetime | None = Field(default=None, sa_type=Moment)


class SurveyAnswer(Base, table=True):
    """What somebody answered, once."""

    __tablename__ = "survey_answer"

    id: UUID = Field(primary_key=True)
    survey_id: UUID
    person_id: UUID | None
    merged_id: UUID | None = None
    way: str
    language: str
    answers: dict[str, str] = Field(sa_type=JSONB)
    """Scores and choices by question; they stay for the figures."""
    texts: dict[str, str] = Field(sa_type=JSONB)
    """What was written freely, by question."""
    seat: int | None = None
    answered_at: datetime = Field(sa_type=Moment)


class Idea(Base, table=True):
    """An idea of a panel."""

    id: UUID = Field(primary_key=True)
    survey_id: UUID
    person_id: UUID | None
    merged_id: UUID | None = None
    text: str
    is_hidden: bool = False
    told_at: datetime = Field(sa_type=Moment)


class IdeaVote(Base, table=True):
    """A vote for an idea; everybody has one for each."""

    __tablename__ = "idea_vote"

    id: UUID = Field(primary_key=True)
    idea_id: UUID
    person_id: UUID | None
    merged_id: UUID | None = None
    voted_at: datetime = Field(sa_type=Moment)
