"""Shapes of files of responses, and how they are declared."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from kantis_contracts.orders import ResponseKind, ResponseWay
from kantis_contracts.values import Country
from kantis_kit.web.schemas import In, Out
from orders_svc.responses.schemas import Term

TARGETS = (
    "code",
    "kind",
    "phone",
    "quantity",
    "sku",
    "note",
    "row_id",
    "responded_at",
    "street",
    "postal_code",
    "city",
    "country",
)
"""What a place of a row may be; beside these `answer.<question>` and `confidence[.<any of them>]`."""
ANSWER, CONFIDENCE = "answer.", "confidence"
_QUESTION = re.compile(r"[A-Za-z0-9_-]{1,100}")
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,60}$")]


class Form(StrEnum):
    """How a row is written."""

    FIXED = "fixed"
    CSV = "csv"
    JSON_LINES = "json_lines"


class Place(In):
    """Where something stands in a row: in a column (by name or number; in JSON by its path), or from a sign on."""

    column: str | None = Field(default=None, min_length=1, max_length=200)
    start: int | None = Field(default=None, ge=1, le=60_000, description="The first sign is 1")
    length: int | None = Field(default=None, ge=1, le=4_000)

    @property
    def end(self) -> int:
        """The last sign of a place in a fixed row."""
        return (self.start or 0) + (self.length or 0) - 1


def _by_its_column(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


PlaceOrColumn = Annotated[
    Place, BeforeValidator(_by_its_column, json_schema_input_type=str | Place)
]
"""A place, or simply the name of its column."""


def _is_target(name: str) -> bool:
    if name.startswith(ANSWER):
        return _QUESTION.fullmatch(name.removeprefix(ANSWER)) is not None
    return name in TARGETS


def _known_fields(fields: dict[str, Place]) -> dict[str, Place]:
    odd = [
        name
        for name in fields
        if not _is_target(name)
        and name != CONFIDENCE
        and not (name.startswith(f"{CONFIDENCE}.") and _is_target(name[len(CONFIDENCE) + 1 :]))
    ]
    if odd:
        message = (
            f"no field is called {', '.join(odd)[:200]}; there are {', '.join(TARGETS)}, {ANSWER}<question>,"
            f" {CONFIDENCE}, and {CONFIDENCE}.<one of these>"
        )
        raise ValueError(message)
    return fields


class MappingIn(In):
    """How the files of one sender are read."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "form": "csv",
                "way": "optical",
                "encoding": "windows-1252",
                "fields": {
                    "code": "KODE",
                    "confidence.code": "KODE_SIKKER",
                    "kind": "SVAR",
                    "answer.children": "BARN",
                },
                "kinds": {"J": "order", "N": "refusal"},
                "least_confidence": 85,
            }
        }
    )

    form: Form
    way: Literal[ResponseWay.BARCODE, ResponseWay.OPTICAL, ResponseWay.PHONE, ResponseWay.KEYED]
    encoding: Literal["utf-8", "windows-1252", "iso-8859-1"] = "utf-8"
    delimiter: Literal[";", ",", "\t", "|"] = ";"
    has_header: bool = Field(
        default=True, description="Of CSV; without one, columns are numbers from 1 on"
    )
    fields: Annotated[
        dict[str, PlaceOrColumn], Field(min_length=1, max_length=100), AfterValidator(_known_fields)
    ]
    kind: ResponseKind | None = Field(default=None, description="Of rows that name none")
    kinds: dict[str, ResponseKind] = Field(
        default_factory=dict, max_length=50, description="How the file writes kinds"
    )
    country: Country = Field(default="NO", description="Telephone numbers are read by it")
    least_confidence: float = Field(
        default=80, ge=0, le=100, description="What is read less surely is decided by a person"
    )
    full_confidence: float = Field(
        default=100, gt=0, le=1_000_000, description="How the file writes that it is sure"
    )
    terms: dict[str, dict[str, Term]] = Field(
        default_factory=dict,
        max_length=100,
        description="Of each question, the words of the vocabulary that its answers stand for",
    )
    unknown_codes: Literal["return", "wait"] = Field(
        default="return",
        description="Whether a code of no piece comes back with its row, or waits for its piece",
    )

    @model_validator(mode="after")
    def _is_enough(self) -> "MappingIn":
        if not {"code", "phone"} & self.fields.keys():
            message = "fields: a row needs a code or a phone, else nobody knows whose it is"
            raise ValueError(message)
        if "kind" not in self.fields and self.kind is None:
            message = "kind: say what rows are, or in which field they say it"
            raise ValueError(message)
        for name, place in self.fields.items():
            is_fixed = place.start is not None and place.length is not None
            if self.form is Form.FIXED and not is_fixed:
                message = f"fields.{name}: a fixed row needs start and length"
                raise ValueError(message)
            if self.form is not Form.FIXED and place.column is None:
                message = f"fields.{name}: name the column"
                raise ValueError(message)
            is_number = (place.column or "").isascii() and (place.column or "").isdigit()
            if self.form is Form.CSV and not self.has_header and not is_number:
                message = f"fields.{name}: without a header, columns are numbers from 1 on"
                raise ValueError(message)
        return self

    @property
    def width(self) -> int:
        """How many signs a fixed row needs."""
        return max(one.end for one in self.fields.values())

    @property
    def least_width(self) -> int:
        """How many signs it needs at least, when those at its end are spaces that were cut."""
        sure = [self.fields[name].end for name in ("code", "kind") if name in self.fields]
        return max(sure) if sure else self.fields["phone"].start or 0


class MappingOut(Out):
    """A declared mapping."""

    name: str
    version: int
    changed_by: str
    changed_at: datetime
    reading: MappingIn


class FileOut(Out):
    """How far a file is. Rows that were read = registered + repeated + in review + rejected + empty."""

    file_id: UUID
    name: str
    mapping: str
    state: str
    problem: str
    file_bytes: int
    offset_bytes: int
    row_number: int
    registered: int
    repeated: int
    in_review: int
    rejected: int
    empty: int
    sent_by: str
    started_at: datetime
    finished_at: datetime | None


class PreviewRow(Out):
    """A row as it would be read."""

    row_number: int
    read: dict[str, str]
    doubts: dict[str, float]
    problem: str


class PreviewOut(Out):
    """How a file would be read; nothing of it is kept."""

    rows: int
    header: list[str]
    first_rows: list[PreviewRow]
    problems: list[str]


class ReviewOut(Out):
    """A row that a person decides on, before it is due."""

    review_id: UUID
    file_id: UUID
    row_number: int
    state: str
    reason: str
    read: dict[str, str]
    doubts: dict[str, Any]
    response_id: UUID | None
    note: str
    due_at: datetime
    decided_by: str
    decided_at: datetime | None


def _known_corrections(values: dict[str, str]) -> dict[str, str]:
    odd = [name for name in values if not _is_target(name)]
    if odd:
        message = f"no field is called {', '.join(odd)[:200]}"
        raise ValueError(message)
    return values


class DecisionIn(In):
    """Take a row, with what a person reads instead, or drop it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"decision": "take", "corrections": {"kind": "order"}}}
    )

    decision: Literal["take", "drop"]
    corrections: Annotated[
        dict[str, Annotated[str, Field(max_length=4_000)]],
        Field(max_length=100),
        AfterValidator(_known_corrections),
    ] = Field(default_factory=dict)
    person_id: UUID | None = Field(default=None, description="Who it is, of a row without a code")
    note: str = Field(default="", max_length=500)
    decided_by: str = Field(default="", max_length=60)
