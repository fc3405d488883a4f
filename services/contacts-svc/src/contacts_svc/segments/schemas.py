"""Shapes of segments at the API."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field, field_validator

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


class SegmentIn(In):
    """A segment as it shall be."""

    name: str = Field(min_length=1, max_length=200)
    condition: Condition = Field(examples=[EXAMPLE])

    @field_validator("condition", mode="before")
    @classmethod
    def bound_size(cls, value: object) -> object:
        """Refuse what is too deep or too large before it is looked at."""
        check_size(value)
        return value


class SegmentOut(Out):
    """A segment."""

    id: UUID
    name: str
    version: int
    condition: dict[str, Any]
    in_words: str
    is_active: bool
    created_at: datetime
    updated_at: datetime


class CountOut(Out):
    """How many are in a segment now."""

    segment_id: UUID
    count: int


class MemberOut(Out):
    """A person in a segment."""

    person_id: UUID
    full_name: str
    preferred_name: str


class ClauseOut(Out):
    """A clause, in words, and whether it holds; `depth` is its place in the tree, read from the top."""

    depth: int
    clause: str
    holds: bool


class ExplanationOut(Out):
    """Why a person is in a segment, or is not, clause by clause."""

    person_id: UUID
    is_member: bool
    clauses: list[ClauseOut]
