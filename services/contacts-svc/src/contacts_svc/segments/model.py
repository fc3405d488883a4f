"""Tables of segments and frozen audiences."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment
from contacts_svc.segments.schemas import Announces

PAGE = 1_000
"""Persons on a page of a frozen audience: as many as an event carries."""
_Ids: Any = ARRAY(Uuid())
_Numbers: Any = ARRAY(Integer())


class Segment(Base, table=True):
    """A named condition over what is known of people; one of kind `list` holds for those who are on its list."""

    id: UUID = Field(primary_key=True)
    name: str
    kind: str = Field(default="condition", sa_column_kwargs={"server_default": "condition"})
    announces: str = Field(
        default=Announces.NOTHING.value, sa_column_kwargs={"server_default": "nothing"}
    )
    version: int = 1
    condition: dict[str, Any] = Field(sa_type=JSONB)
    is_active: bool = True
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class SegmentMember(Base, table=True):
    """A person who is in a segment, and since when."""

    __tablename__ = "segment_member"

    segment_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True, index=True)
    since: datetime = Field(sa_type=Moment)


class SegmentDue(Base, table=True):
    """The moment at which time alone may bring a person into a segment or out of it."""

    __tablename__ = "segment_due"

    segment_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    due_at: datetime = Field(sa_type=Moment, index=True)


class SegmentState(Base, table=True):
    """How far the keeper has come with a segment.

    `wanted` is raised when the condition changes, or that of a segment it names; `built` follows when everybody has
    been looked at with the newest one.
    """

    __tablename__ = "segment_state"

    segment_id: UUID = Field(primary_key=True)
    wanted: int
    built: int
    building: int
    build_after: UUID | None = None
    built_at: datetime | None = Field(default=None, sa_type=Moment)
    revision: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    """How often it has told of changes."""
    basis: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """A mark of the rules, registers and washes with which decisions were made, where the condition asks for some."""


class SegmentReference(Base, table=True):
    """A segment whose condition names another one."""

    __tablename__ = "segment_reference"

    segment_id: UUID = Field(primary_key=True)
    refers_to: UUID = Field(primary_key=True, index=True)


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
    clauses: list[str] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"}
    )
    """The clauses of which each member is told which hold, in words."""


class FrozenPage(Base, table=True):
    """Up to 1,000 persons of a frozen audience, in the order of their ids.

    The bits of a person's mask say which of the audience's `clauses` put them there; without masks all of them do.
    """

    __tablename__ = "frozen_page"

    launch_id: UUID = Field(primary_key=True)
    page: int = Field(primary_key=True)
    person_ids: list[UUID] = Field(sa_type=_Ids)
    masks: list[int] = Field(sa_type=_Numbers)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many are in a segment, and how good what is known of them is."""

    members: int
    nameless: int
    """Who have not said what they want to be called."""
    duplicates: int
    scored: int
    mean_score: int | None
    low_scores: int
