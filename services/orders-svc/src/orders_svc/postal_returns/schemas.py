"""Shapes of returns of post."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from kantis_contracts.orders import PostReason
from kantis_contracts.values import Country
from kantis_kit.web.schemas import In, Instant, Out

Code = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
MAX_FILE_BYTES = 20_000_000
FieldName = Literal["code", "reason", "came_at", "street", "postal_code", "city", "country"]
FIELDS: tuple[FieldName, ...] = get_args(FieldName)


class NewAddressIn(In):
    """Where the person lives now, as the post says."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"street": "Parkveien 2", "postal_code": "0350", "city": "Oslo"}
        }
    )

    street: str = Field(min_length=1, max_length=200)
    postal_code: str = Field(min_length=1, max_length=12)
    city: str = Field(min_length=1, max_length=100)
    country: Country = "NO"


class PostIn(In):
    """A piece that came back: what its code says, and why."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"code": "0000007000012", "reason": "moved"}}
    )

    code: Code
    reason: PostReason
    came_at: Instant | None = None
    new_address: NewAddressIn | None = None
    is_keyed: bool = False
    """Typed, not scanned."""


class Place(In):
    """Where a field stands: the name or number of a column, or the characters of a fixed line (from 1, both included)."""

    model_config = ConfigDict(json_schema_extra={"example": {"column": "KID"}})

    column: str | int | None = None
    first: int | None = Field(default=None, ge=1, le=10_000)
    last: int | None = Field(default=None, ge=1, le=10_000)

    @model_validator(mode="after")
    def check(self) -> Self:
        """Either a column or characters."""
        is_fixed = self.first is not None and self.last is not None
        if (self.column is None) is not is_fixed or (is_fixed and self.first > self.last):  # type: ignore[operator]
            message = (
                "give a column, or the first and the last character, the first not after the last"
            )
            raise ValueError(message)
        return self


class MappingIn(In):
    """How a file of the post is read; what it calls its reasons, in our words."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "kind": "csv",
                "delimiter": ";",
                "encoding": "windows-1252",
                "fields": {"code": {"column": "KID"}, "reason": {"column": "Årsak"}},
                "reasons": {"01": "moved", "02": "dead"},
            }
        }
    )

    kind: Literal["csv", "fixed"] = "csv"
    delimiter: str = Field(default=";", min_length=1, max_length=1)
    has_header: bool = True
    encoding: Literal["utf-8", "windows-1252", "iso-8859-1"] = "utf-8"
    moment_format: str = Field(default="%Y-%m-%d", max_length=40)
    fields: dict[FieldName, Place]
    reasons: dict[str, PostReason] = Field(default={}, max_length=200)

    @model_validator(mode="after")
    def check(self) -> Self:
        """A file without codes or reasons tells nothing."""
        if missing := {"code", "reason"} - set(self.fields):
            message = f"say where {' and '.join(sorted(missing))} stands"
            raise ValueError(message)
        fixed = {place.column is None for place in self.fields.values()}
        if fixed != {self.kind == "fixed"}:
            message = "a csv file has columns, a fixed one has characters"
            raise ValueError(message)
        return self


class PostOut(Out):
    """A piece that came back, and what is to be done next."""

    return_id: UUID
    code: str
    kind: str
    reason: str
    way: str
    state: str
    next_action: str
    person_id: UUID | None
    campaign_id: UUID | None
    order_id: UUID | None
    cost_minor: int
    came_at: datetime
    noted_at: datetime
    done_at: datetime | None


class Rejected(Out):
    """A line that was not taken, and why."""

    line: int
    problem: str


class FileOut(Out):
    """What was made of a file; `rejected` shows the first hundred lines that were not taken."""

    lines: int
    taken: int
    known: int
    rejected_lines: int
    rejected: list[Rejected]
    was_taken_before: bool = False


class MappingOut(Out):
    """A declared mapping."""

    name: str
    version: int
    mapping: dict[str, Any]


class ReasonSum(Out):
    """Pieces that came back for a reason, what they cost, and what is saved with the next mailing."""

    reason: str
    pieces: int
    cost_minor: int
    saving_minor: int


class ReportOut(Out):
    """What came back in a time, and what waits for somebody."""

    pieces: int
    cost_minor: int
    saving_minor: int
    reasons: list[ReasonSum]
    waiting: dict[str, int]
