"""Tables of exports."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment

EVERYBODY = UUID(int=2**128 - 1)
"""The checkpoint of an export whose rows are all there, and of which a workbook is to be made: no id comes after it."""


class ExportState(StrEnum):
    """How far an export is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    FORGOTTEN = "forgotten"
    """Its file is gone."""


class Export(Base, table=True):
    """Contacts on their way into a file: what of whom, and the checkpoint up to which it is written."""

    id: UUID = Field(primary_key=True)
    name: str
    state: str = ExportState.RUNNING
    problem: str = ""
    kind: str = "csv"
    segment_id: UUID | None = None
    fields: list[str] = Field(sa_type=JSONB)
    delimiter: str
    rows: int = 0
    last_id: UUID | None = None
    """Checkpoint: everybody up to this id is in the file."""
    file_bytes: int = Field(default=0, sa_type=BigInteger)
    actor: str
    created_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
