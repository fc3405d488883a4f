"""Tables of imports."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment


class ImportState(StrEnum):
    """How far an import is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Import(Base, table=True):
    """A file on its way into the register: how to read it, and the checkpoint up to which it is in."""

    __tablename__ = "import"

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
