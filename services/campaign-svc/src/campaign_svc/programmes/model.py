"""Tables of programmes: versions, runs, what each run did, and what is known of people for their sake."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from campaign_svc.base import Base

_MOMENT = DateTime(timezone=True)
LANES = 4
"""Workers of the same service share the runs by lanes; a run stays in its own."""


def lane_of(run_id: UUID) -> int:
    """Return the lane of a run: the end of its id, which is random."""
    return run_id.int % LANES


class Programme(Base, table=True):
    """A programme; its graphs are versions, and `version` counts the changes of this row."""

    id: UUID = Field(primary_key=True)
    name: str
    state: str
    live_version: int | None = None
    draft_version: int | None = None
    version: int = 1
    created_by: str
    created_at: datetime = Field(sa_type=_MOMENT)
    changed_at: datetime = Field(sa_type=_MOMENT)


class ProgrammeVersion(Base, table=True):
    """A graph. Once it is published it never changes: people are in it."""

    __tablename__ = "programme_version"

    programme_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    graph: dict[str, Any] = Field(sa_type=JSONB)
    trigger_on: str
    """What begins a run, and its name or id: what comes in is looked up by these."""
    trigger_name: str
    published_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    published_by: str = ""


class Run(Base, table=True):
    """A person on their way through a version. `due_at` is its timer; an empty one waits for something else."""

    __tablename__ = "programme_run"

    id: UUID = Field(primary_key=True)
    programme_id: UUID
    version: int
    person_id: UUID
    merged_id: UUID | None = None
    key: str
    lane: int
    state: str
    step: str
    number: int = 0
    """Steps that were begun: with the run's id, what makes each of them happen once."""
    is_inside: bool = False
    """Whether the step has begun and is waited in; else it begins when the run is due."""
    due_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    waits_for: list[str] = Field(sa_type=ARRAY(Text))
    own_key: bool = False
    """Only events with the run's key are waited for."""
    woken_by: str = ""
    held_because: str = ""
    hears: list[str] = Field(sa_type=ARRAY(Text))
    heard: dict[str, Any] = Field(sa_type=JSONB)
    """When each event came in that means something to the run."""
    facts: dict[str, Any] = Field(sa_type=JSONB)
    passes: dict[str, Any] = Field(sa_type=JSONB)
    """How often each loop was gone through."""
    goals: list[str] = Field(sa_type=ARRAY(Text))
    outcome: str = ""
    started_at: datetime = Field(sa_type=_MOMENT)
    changed_at: datetime = Field(sa_type=_MOMENT)
    ended_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Visit(Base, table=True):
    """The steps that a run has gone through at once, each as `step kind way`; `number` is that of the last."""

    __tablename__ = "programme_visit"

    run_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    steps: list[str] = Field(sa_type=ARRAY(Text))
    at: datetime = Field(sa_type=_MOMENT)


class Move(Base, table=True):
    """People in flight who are taken from one version to another, a part at a time."""

    __tablename__ = "programme_move"

    id: UUID = Field(primary_key=True)
    programme_id: UUID
    from_version: int
    to_version: int
    steps: dict[str, Any] = Field(sa_type=JSONB)
    moved: int = Field(default=0, sa_type=BigInteger)
    decided_by: str
    decided_at: datetime = Field(sa_type=_MOMENT)


class SegmentMember(Base, table=True):
    """Whether a person is in a segment, as the register told last; `revision` decides what is newer."""

    __tablename__ = "segment_member"

    segment_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    is_in: bool
    revision: int = Field(sa_type=BigInteger)


class AskedCondition(Base, table=True):
    """A condition of branches that the register keeps as a segment, and how far it is with it."""

    __tablename__ = "asked_condition"

    segment_id: UUID = Field(primary_key=True)
    condition: dict[str, Any] = Field(sa_type=JSONB)
    state: str
    problem: str = ""
    asked_at: datetime = Field(sa_type=_MOMENT)
    told_version: int = 0
    """Of the newest card that the register was told; each is higher than the one before."""


class PersonZone(Base, table=True):
    """The time zone where a person lives; `version` decides which card is newer."""

    __tablename__ = "person_zone"

    person_id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    zone: str


class PersonDate(Base, table=True):
    """A date of a person: of a contract, where `key` names one."""

    __tablename__ = "person_date"

    id: UUID = Field(primary_key=True)
    person_id: UUID
    merged_id: UUID | None = None
    name: str
    key: str
    on_date: date
    set_at: datetime = Field(sa_type=_MOMENT)


class PersonNeed(Base, table=True):
    """A need of a person, by its word in the register's vocabulary, as it was learned there."""

    __tablename__ = "person_need"

    insight_id: UUID = Field(primary_key=True)
    person_id: UUID
    merged_id: UUID | None = None
    term: str
    until: datetime | None = Field(default=None, sa_type=_MOMENT)
    is_taken_back: bool


class ToldEvent(Base, table=True):
    """An event that was told through the API: told twice, it counts once."""

    __tablename__ = "told_event"

    event_id: UUID = Field(primary_key=True)
    told_at: datetime = Field(sa_type=_MOMENT)
