"""Tables of imports."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, column, not_, or_
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment


class ImportState(StrEnum):
    """How far an import is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


class Import(Base, table=True):
    """A file on its way into the register: how to read it, and the checkpoint up to which it is in."""

    __tablename__ = "import"
    __table_args__ = (
        Index("ix_import_file", "file_sha256"),
        Index(
            "ix_import_open",
            "id",
            postgresql_where=or_(column("state") == "running", not_(column("is_followed"))),
        ),
    )

    id: UUID = Field(primary_key=True)
    name: str
    state: str = ImportState.RUNNING
    problem: str = ""
    encoding: str
    delimiter: str
    mapping: dict[str, str] = Field(sa_type=JSONB)
    """Column of the file → field of the contact."""
    header: list[str] = Field(sa_type=JSONB)
    country: str
    source: str
    on_existing: str
    permission_source: str
    permission_text: str
    file_bytes: int = Field(sa_type=BigInteger)
    offset_bytes: int = Field(sa_type=BigInteger)
    """Checkpoint: everything before it is in the register or among the rejects."""
    row_number: int
    """Line-counting row of the file that was read last; the header is row 1."""
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    permissions: int = 0
    kind: str = "csv"
    file_sha256: str = ""
    """Of the bytes as they were sent; the same file again is answered with this import."""
    formats: dict[str, str] = Field(default_factory=dict, sa_type=JSONB)
    """Column of the file → how it writes days or numbers."""
    policies: dict[str, str] = Field(default_factory=dict, sa_type=JSONB)
    """Field of the contact → policy, where it is not to replace."""
    as_of: datetime | None = Field(default=None, sa_type=Moment)
    """When the file told the truth; rows may tell it better."""
    list_id: UUID | None = None
    listed: int = 0
    undone: int = 0
    """Persons of whom an undo took everything back."""
    kept: int = 0
    """Persons of whom it left something, because somebody changed or used it since."""
    undone_at: datetime | None = Field(default=None, sa_type=Moment)
    is_followed: bool = False
    """Whether all whom it has made were handed to those who follow: segments, the search for duplicates."""
    followed_to: UUID | None = None
    """The last person who was."""
    actor: str
    started_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)


class ImportReject(Base, table=True):
    """A row that could not be taken, with the reason; kept for 30 days to be mended and sent again."""

    __tablename__ = "import_reject"

    import_id: UUID = Field(primary_key=True)
    row_number: int = Field(primary_key=True)
    reason: str
    cells: list[Any] = Field(sa_type=JSONB)


class ImportMapping(Base, table=True):
    """How the files of one sender are read, by a name."""

    __tablename__ = "import_mapping"

    id: UUID = Field(primary_key=True)
    name: str = Field(unique=True)
    version: int = 1
    mapping: dict[str, str] = Field(sa_type=JSONB)
    formats: dict[str, str] = Field(sa_type=JSONB)
    policies: dict[str, str] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class ImportSource(Base, table=True):
    """How much a source of contacts is trusted, where the policy of a field asks for it: 0 is trusted most."""

    __tablename__ = "import_source"

    name: str = Field(primary_key=True)
    rank: int


class ImportTouched(Base, table=True):
    """A person whom an import has made or changed; what it changed stands in the person's history."""

    __tablename__ = "import_touched"
    __table_args__ = (Index("ix_import_touched_person", "person_id"),)

    import_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    was_created: bool
    is_settled: bool = False
    """Whether an undo has decided on this person."""
    kept_because: str = ""
    """Why an undo left something of it."""
    families: int = 0
    """The facts by which those who follow are told of this person, once the import is through."""


class FieldSource(Base, table=True):
    """How old a value is that an import brought, where the policy of its field asks for the newest."""

    __tablename__ = "person_field_source"

    person_id: UUID = Field(primary_key=True)
    field: str = Field(primary_key=True)
    import_id: UUID
    as_of: datetime = Field(sa_type=Moment)
