"""What a branch may ask: of the run itself, and of the segments that announce who comes and goes.

The words are those of the register's conditions. Facts of people are the register's alone: what a branch wants to know of
them becomes a segment there, whose comings and goings are told here.
"""

import json
from functools import cached_property
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

import orjson
from pydantic import Field, StringConstraints, field_validator

from kantis_kit.web.schemas import In

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.:-]{0,79}$")]
"""The name of an event, a fact, a need or a reason."""
_MOST = 40_000
_CONDITIONS = UUID("9b0f6f2e-6d0b-5c0e-9a53-5f1f0c8f7a11")
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Value = bool | Whole | Annotated[str, StringConstraints(max_length=200)]


class All(In):
    """Every part holds."""

    op: Literal["all"]
    of: list["Condition"] = Field(min_length=1, max_length=20)


class AnyOf(In):
    """At least one part holds."""

    op: Literal["any"]
    of: list["Condition"] = Field(min_length=1, max_length=20)


class Not(In):
    """The part does not hold."""

    op: Literal["not"]
    of: "Condition"


class InSegment(In):
    """The person is in a segment of the register that announces its changes, as far as it has told."""

    op: Literal["segment"]
    segment_id: UUID


class Asked(In):
    """Any condition in the register's own language; the register keeps it as a segment and tells who is in it."""

    op: Literal["register"]
    condition: dict[str, Any] = Field(examples=[{"op": "country", "is_in": ["NO"]}])

    @field_validator("condition")
    @classmethod
    def check_plain(cls, value: dict[str, Any]) -> dict[str, Any]:
        """Refuse what cannot travel: what is no number, and what is too long or too deep."""
        try:
            length = len(orjson.dumps(value)) + len(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                "write numbers as such, of at most 15 digits, and nest less"
            ) from error
        if length > _MOST:
            raise ValueError(f"at most {_MOST // 2:,} characters")
        return value

    @cached_property
    def segment_id(self) -> UUID:
        """The segment that the register keeps for it: the same for the same condition, in whichever programme."""
        return uuid5(
            _CONDITIONS, orjson.dumps(self.condition, option=orjson.OPT_SORT_KEYS).decode()
        )


class Heard(In):
    """An event has come in for the run since it began, or within so many days."""

    op: Literal["heard"]
    event: Word
    within_days: int | None = Field(default=None, ge=1, le=3660)


class Fact(In):
    """What the run knows: from its trigger, from answers and events, and from what it did itself."""

    op: Literal["fact"]
    name: Word
    has: Literal["known", "equal", "at_least", "at_most"] = "known"
    value: Value | None = None


class Reached(In):
    """The run has come to a goal before."""

    op: Literal["reached"]
    goal: Word


Condition = Annotated[
    All | AnyOf | Not | InSegment | Asked | Heard | Fact | Reached, Field(discriminator="op")
]
for _model in (All, AnyOf, Not):
    _model.model_rebuild()
