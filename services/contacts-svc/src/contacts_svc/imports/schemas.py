"""Shapes of imports at the API."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from contacts_svc.people.model import OnExisting
from kantis_kit.web.schemas import Out


class Options(BaseModel):
    """How a file is to be imported."""

    name: str = ""
    source: str = ""
    country: str = "NO"
    on_existing: OnExisting = OnExisting.UPDATE
    permission_source: str = ""
    permission_text: str = ""
    mapping: dict[str, str] = Field(default_factory=dict)


class ImportOut(Out):
    """An import and how far it is."""

    id: UUID
    name: str
    state: str
    problem: str
    encoding: str
    delimiter: str
    mapping: dict[str, str]
    unknown_columns: list[str]
    percent: int
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    permissions: int
    started_at: datetime
    finished_at: datetime | None


class PreviewRow(BaseModel):
    """A row as it would be read."""

    row_number: int
    cells: dict[str, str]
    problem: str = ""


class PreviewOut(BaseModel):
    """How a file would be read; nothing was kept."""

    encoding: str
    delimiter: str
    mapping: dict[str, str]
    unknown_columns: list[str]
    problems: list[str]
    first_rows: list[PreviewRow]
    rows_with_letters_beyond_ascii: list[PreviewRow] = Field(
        description="Look at these: they show whether æ, ø, å, ä and ö are read rightly"
    )
