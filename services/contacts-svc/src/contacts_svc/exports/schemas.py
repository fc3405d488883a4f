"""Shapes of exports at the API."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from kantis_kit.web.schemas import In, Out


class ExportIn(In):
    """What of whom is to be written into a file."""

    name: str = Field(default="", max_length=200)
    segment_id: UUID | None = Field(default=None, description="Everybody when left out")
    fields: list[str] = Field(
        default_factory=list,
        max_length=200,
        description="Fields of the contact, `custom.<key>`, `permission.<channel>.<purpose>`; the common ones when empty",
    )
    kind: Literal["csv", "xlsx"] = Field(
        default="csv", description="A sheet of `xlsx` holds 1,048,575 contacts, further ones follow"
    )
    delimiter: Literal[";", ",", "\t"] = Field(default=";", description="Of CSV")


class ExportOut(Out):
    """An export and how far it is."""

    id: UUID
    name: str
    state: str
    problem: str
    kind: str
    segment_id: UUID | None
    fields: list[str]
    rows: int
    file_bytes: int
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime = Field(description="When the file is deleted")


class LinkOut(BaseModel):
    """Where the file can be fetched, by whoever has the link."""

    url: str
    expires_at: datetime
