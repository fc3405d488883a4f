"""Shapes of imports at the API."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from contacts_svc.imports.values import Form
from contacts_svc.people.model import OnExisting
from kantis_kit.web.schemas import In, Out


class Policy(StrEnum):
    """What happens to what is known of a field when a file says something else."""

    KEEP = "keep"
    """It stays."""
    REPLACE = "replace"
    """The file's value takes its place."""
    NEWEST = "newest"
    """The file's value takes its place where the file is younger than what is known."""
    SOURCE = "source"
    """The file's value takes its place unless what is known came from a source that is trusted more."""


class Options(BaseModel):
    """How a file is to be imported."""

    name: str = ""
    source: str = ""
    country: str = "NO"
    on_existing: OnExisting = OnExisting.UPDATE
    permission_source: str = ""
    permission_text: str = ""
    mapping: dict[str, str] = Field(default_factory=dict)
    formats: dict[str, str] = Field(default_factory=dict)
    policies: dict[str, str] = Field(default_factory=dict)
    as_of: datetime | None = None
    list_id: UUID | None = None
    again: bool = False


class MappingIn(In):
    """How the files of one sender are read."""

    name: str = Field(min_length=1, max_length=100)
    mapping: dict[str, str] = Field(
        min_length=1, max_length=200, description="Column → field; an empty field leaves it out"
    )
    formats: dict[str, Form] = Field(
        default_factory=dict, max_length=200, description="Column → how it writes days or numbers"
    )
    policies: dict[str, Policy] = Field(
        default_factory=dict, max_length=200, description="Field → what happens to what is known"
    )


class MappingOut(Out):
    """A saved mapping."""

    id: UUID
    name: str
    version: int
    mapping: dict[str, str]
    formats: dict[str, str]
    policies: dict[str, str]
    created_at: datetime
    updated_at: datetime


class SourcesIn(In):
    """Where contacts come from, the most trusted first."""

    sources: list[Annotated[str, StringConstraints(max_length=200)]] = Field(
        max_length=200,
        description="Names as imports and forms give them; `hand` is what somebody has keyed in, and first when left out",
    )


class SourcesOut(Out):
    """Where contacts come from, the most trusted first."""

    sources: list[str]


class KeptOut(Out):
    """A contact of whom an undo has left something, and why."""

    person_id: UUID
    was_created: bool
    kept_because: str


class ImportOut(Out):
    """An import and how far it is."""

    id: UUID
    name: str
    state: str
    problem: str
    kind: str
    file_sha256: str
    encoding: str
    delimiter: str
    mapping: dict[str, str]
    formats: dict[str, str]
    policies: dict[str, str]
    as_of: datetime | None
    list_id: UUID | None
    unknown_columns: list[str]
    percent: int
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    permissions: int
    listed: int
    undone: int = Field(description="Contacts of whom an undo took everything back")
    kept: int = Field(description="Contacts of whom it left something: see /kept")
    undone_at: datetime | None
    started_at: datetime
    finished_at: datetime | None


class PreviewRow(BaseModel):
    """A row as it would be read."""

    row_number: int
    cells: dict[str, str]
    problem: str = ""


class FormatOut(BaseModel):
    """How a column writes its days or numbers, decided over the first rows."""

    column: str
    field: str
    format: str
    doubt: str = Field(
        description="What the rows left open, in a sentence; empty when they did not"
    )
    examples: dict[str, str] = Field(description="Cells, and how they are read")
    unread: int = Field(description="Cells of the first rows that cannot be read this way")


class PreviewOut(BaseModel):
    """How a file would be read; nothing was kept."""

    kind: str
    encoding: str
    delimiter: str
    mapping: dict[str, str]
    unknown_columns: list[str]
    problems: list[str]
    formats: list[FormatOut]
    first_rows: list[PreviewRow]
    rows_with_letters_beyond_ascii: list[PreviewRow] = Field(
        description="Look at these: they show whether æ, ø, å, ä and ö are read rightly"
    )
