"""Shapes of segments at the API."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from contacts_svc.segments.conditions import Condition, check_size
from kantis_kit.web.schemas import In, Out

EXAMPLE = {
    "op": "all",
    "of": [
        {"op": "country", "is_in": ["NO", "SE"]},
        {"op": "permission", "channel": "email", "purpose": "newsletter", "state": "granted"},
        {"op": "not", "of": {"op": "last_order", "within_days": 90}},
    ],
}
MAX_LISTED = 1_000


class Announces(StrEnum):
    """What a segment tells other services of who comes and goes."""

    NOTHING = "nothing"
    CHANGES = "changes"
    """Who comes and goes from when it is built; of everybody whom a new condition brings or takes, only how many."""
    EVERYTHING = "everything"
    """These, too."""


class SegmentIn(In):
    """A segment as it shall be: a condition, or a list that people are put on one by one."""

    name: str = Field(min_length=1, max_length=200)
    kind: Literal["condition", "list"] = "condition"
    condition: Condition | None = Field(default=None, examples=[EXAMPLE])
    announces: Announces = Field(
        default=Announces.NOTHING,
        description="Whether other services are told who comes and goes: nothing, changes from when it is built, or"
        " everything, also of everybody whom a new condition brings",
    )

    @field_validator("condition", mode="before")
    @classmethod
    def bound_size(cls, value: object) -> object:
        """Refuse what is too deep or too large before it is looked at."""
        check_size(value)
        return value

    @model_validator(mode="after")
    def check_kind(self) -> Self:
        """A condition has one, a list has none."""
        if self.kind == "condition" and self.condition is None:
            message = "condition: give one, or make a segment of kind list"
            raise ValueError(message)
        if self.kind == "list" and self.condition is not None:
            message = "condition: a list has none; its members are put on it"
            raise ValueError(message)
        return self


class PreviewIn(In):
    """A condition to try before it is kept."""

    condition: Condition = Field(examples=[EXAMPLE])

    @field_validator("condition", mode="before")
    @classmethod
    def bound_size(cls, value: object) -> object:
        """Refuse what is too deep or too large before it is looked at."""
        check_size(value)
        return value


class MembershipOut(Out):
    """How the kept membership stands.

    `lag_seconds` is the age of the oldest change that membership does not show yet; a segment that is not built yet
    has everybody before it.
    """

    members: int
    is_built: bool
    built_at: datetime | None
    lag_seconds: float


class SegmentOut(Out):
    """A segment."""

    id: UUID
    name: str
    kind: str
    announces: str
    version: int
    condition: dict[str, Any]
    in_words: str
    is_active: bool
    created_at: datetime
    updated_at: datetime
    membership: MembershipOut | None = None
    """Told of one segment, not in lists."""


class CountOut(Out):
    """How many are in a segment now."""

    segment_id: UUID
    count: int
    is_kept: bool = False
    """Whether it was read from the kept membership, with what waits to be followed; otherwise everybody was counted."""


class MemberOut(Out):
    """A person in a segment."""

    person_id: UUID
    full_name: str
    preferred_name: str


class PreviewOut(Out):
    """Whom a condition would hold for now: how many, and some of them."""

    count: int
    sample: list[MemberOut]
    in_words: str
    cost: float
    """The work, in the planner's units, as far as it can be foreseen."""


class ListedIn(In):
    """People to be put on a list."""

    person_ids: list[UUID] = Field(min_length=1, max_length=MAX_LISTED)


class ListedOut(Out):
    """What became of them."""

    added: int
    already_there: int


class SegmentOfPersonOut(Out):
    """A segment that a person is in."""

    segment_id: UUID
    name: str
    since: datetime


class ClauseOut(Out):
    """A clause, in words, whether it holds, and by which facts; `depth` is its place in the tree, from the top."""

    depth: int
    clause: str
    holds: bool
    facts: dict[str, Any] = Field(default_factory=dict)


class ExplanationOut(Out):
    """Why a person is in a segment, or is not, clause by clause."""

    person_id: UUID
    is_member: bool
    clauses: list[ClauseOut]


class FrozenMemberOut(Out):
    """A person in a frozen audience, and the clauses that put them there."""

    person_id: UUID
    because: list[str]


class SnapshotOut(Out):
    """A page of a frozen audience."""

    launch_id: UUID
    segment_id: UUID
    segment_name: str
    total: int
    frozen_at: datetime
    items: list[FrozenMemberOut]
    next_cursor: str | None = None
