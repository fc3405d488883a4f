"""What the API takes and shows of programmes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from campaign_svc.programmes.schemas.conditions import Value, Word
from campaign_svc.programmes.schemas.graph import Graph, StepName
from kantis_kit.web.schemas import In, Instant, Out

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Key = Annotated[str, StringConstraints(max_length=100)]
Facts = Annotated[dict[Word, Value], Field(max_length=50)]


class ProgrammeState(StrEnum):
    """Where a programme stands."""

    DRAFT = "draft"
    LIVE = "live"
    PAUSED = "paused"
    CLOSED = "closed"
    """Nobody begins any more; who is in it goes on."""


class ProgrammeIn(In):
    """A programme as it shall be."""

    name: Name
    graph: Graph


class ReadyMadeIn(In):
    """What a ready-made programme lacks: an id for each of the names that it asks for."""

    name: Name | None = None
    fill: dict[Word, UUID] = Field(default_factory=dict, max_length=100)


class ReadyMadeOut(Out):
    """A programme that is delivered with the product. `asks_for` is what to fill in, by name, with what it is."""

    key: str
    name: str
    about: str
    asks_for: dict[str, str]
    graph: dict[str, Any]


class FindingOut(Out):
    """One thing that is wrong with a graph: where, what, and how to mend it."""

    field: str
    code: str
    message: str


class CheckOut(Out):
    """What the checker says of a graph."""

    is_good: bool
    findings: list[FindingOut]


class ProgrammeOut(Out):
    """A programme. New runs begin in `live_version`; `draft_version` is what a publication would make live."""

    id: UUID
    name: str
    state: ProgrammeState
    live_version: int | None
    draft_version: int | None
    version: int
    created_at: datetime
    changed_at: datetime


class VersionOut(Out):
    """A version of a programme; one that was published never changes. `here` counts who is in it now, by step."""

    programme_id: UUID
    version: int
    graph: dict[str, Any]
    published_at: datetime | None
    published_by: str
    here: dict[str, int] = Field(default_factory=dict)
    ended: dict[str, int] = Field(default_factory=dict)
    """How many ended, by outcome."""


class RunIn(In):
    """Somebody who is to begin by hand, with the key of the run and what it shall know."""

    person_id: UUID
    key: Key = ""
    facts: Facts = Field(default_factory=dict)


class RunsIn(In):
    """People who are to begin."""

    items: list[RunIn] = Field(min_length=1, max_length=1_000)


class StartedOut(Out):
    """How many began; the others are in the programme, or have been and may not begin anew yet."""

    started: int
    asked: int


class RunState(StrEnum):
    """Where a run stands."""

    ACTIVE = "active"
    HELD = "held"
    """Waits for a person's decision: the programme is paused, or nothing ran for so long that it came too late."""
    ENDED = "ended"


class RunOut(Out):
    """A run: where it is, what it waits for, and what it knows."""

    id: UUID
    programme_id: UUID
    version: int
    person_id: UUID
    key: str
    state: RunState
    step: str
    due_at: datetime | None
    waits_for: list[str]
    held_because: str
    facts: dict[str, Any]
    goals: list[str]
    outcome: str
    started_at: datetime
    ended_at: datetime | None


class VisitOut(Out):
    """A step that a run has been at, and why it went on as it did."""

    number: int
    step: str
    kind: str
    way: str
    at: datetime


class RunHistoryOut(RunOut):
    """A run and everything that it did."""

    visits: list[VisitOut]


class OccurrenceIn(In):
    """Something that happened to a person. The same `event_id` again changes nothing."""

    event_id: UUID
    event: Word
    person_id: UUID
    key: Key = ""
    at: Instant | None = None
    facts: Facts = Field(default_factory=dict)


class OccurrencesIn(In):
    """Things that happened."""

    items: list[OccurrenceIn] = Field(min_length=1, max_length=1_000)


class PersonDateIn(In):
    """A date of a person, such as when a contract's binding expires; without `on` it is forgotten."""

    person_id: UUID
    name: Word
    key: Key = ""
    on: Annotated[date, Field(ge=date(1900, 1, 1), le=date(2200, 1, 1))] | None


class PersonDatesIn(In):
    """Dates of people."""

    items: list[PersonDateIn] = Field(min_length=1, max_length=1_000)


class MoveIn(In):
    """Take everybody in a version to the live one; `steps` says where to, for steps that are not there any more."""

    from_version: int = Field(ge=1)
    steps: dict[StepName, StepName] = Field(default_factory=dict, max_length=200)


class MovePreviewOut(Out):
    """What a move would do: how many go from which step to which, and which of them begin a step anew."""

    from_version: int
    to_version: int
    runs: int
    steps: list["StepMove"]


class StepMove(Out):
    """So many runs at a step, and where they would go; `begins_anew` says that they begin the new step there."""

    step: str
    to: str
    runs: int
    begins_anew: bool


class LateIn(In):
    """What becomes of runs that were held: they go on from now, or end."""

    decision: Literal["go_on", "end"]


class CountOut(Out):
    """How many it were."""

    runs: int


MovePreviewOut.model_rebuild()
