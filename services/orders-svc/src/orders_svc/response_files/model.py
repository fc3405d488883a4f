"""Tables of files of responses."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from orders_svc.base import Base, Moment
from orders_svc.response_files.errors import ReviewDecided


class FileState(StrEnum):
    """How far a file is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ReviewState(StrEnum):
    """What was decided on a row that nobody could be sure of."""

    WAITING = "waiting"
    TAKEN = "taken"
    DROPPED = "dropped"


class Mapping(Base, table=True):
    """How the files of one sender are read, by a name."""

    __tablename__ = "response_mapping"

    name: str = Field(primary_key=True)
    version: int = 1
    reading: dict[str, Any] = Field(sa_type=JSONB)
    changed_by: str
    changed_at: datetime = Field(sa_type=Moment)


class ResponseFile(Base, table=True):
    """A file on its way in: how it is read, and the checkpoint up to which its rows are responses, in review or rejected.

    Rows that were read = registered + repeated + in review + rejected + empty.
    """

    __tablename__ = "response_file"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'failed')", name="response_file_state"),
        CheckConstraint(
            "(state = 'running') = (finished_at IS NULL)", name="response_file_finished"
        ),
        Index("response_file_sha", "file_sha256"),
    )

    file_id: UUID = Field(primary_key=True)
    name: str
    mapping: str
    reading: dict[str, Any] = Field(sa_type=JSONB)
    """The mapping as it was when the file came."""
    header: list[str] = Field(sa_type=JSONB)
    file_sha256: str
    file_bytes: int = Field(sa_type=BigInteger)
    offset_bytes: int = Field(sa_type=BigInteger)
    row_number: int
    """The row that was read last, counted as lines are; a header is row 1."""
    state: str = FileState.RUNNING.value
    problem: str = ""
    registered: int = 0
    repeated: int = 0
    """Rows whose response had come before."""
    in_review: int = 0
    rejected: int = 0
    empty: int = 0
    sent_by: str
    started_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)

    def finish(self, state: FileState, *, at: datetime, problem: str = "") -> None:
        """Note that no more rows are taken of it."""
        self.state, self.finished_at, self.problem = state.value, at, problem


class Reject(Base, table=True):
    """A row that makes no response, with the reason; kept for a while to be mended and sent again."""

    __tablename__ = "response_reject"

    file_id: UUID = Field(primary_key=True, foreign_key="response_file.file_id")
    row_number: int = Field(primary_key=True)
    reason: str
    line: str


class Review(Base, table=True):
    """A row that a machine was not sure of: a person decides."""

    __tablename__ = "response_review"
    __table_args__ = (
        Index("response_review_once", "file_id", "row_number", unique=True),
        CheckConstraint("state IN ('waiting', 'taken', 'dropped')", name="response_review_state"),
        CheckConstraint(
            "(state = 'waiting') = (decided_at IS NULL)", name="response_review_decided"
        ),
        Index(
            "response_review_waiting",
            "due_at",
            "review_id",
            postgresql_where="state = 'waiting'",
        ),
    )

    review_id: UUID = Field(primary_key=True)
    file_id: UUID = Field(foreign_key="response_file.file_id")
    row_number: int
    state: str = ReviewState.WAITING.value
    reason: str
    read: dict[str, str] = Field(sa_type=JSONB)
    """What was read, by its field."""
    doubts: dict[str, Any] = Field(sa_type=JSONB)
    """The fields that nobody can be sure of: how sure the machine was (0 to 100), or the people who may be meant."""
    response_id: UUID | None = None
    note: str = ""
    due_at: datetime = Field(sa_type=Moment)
    """When it is due to be answered, as the response that it may be."""
    decided_by: str = ""
    decided_at: datetime | None = Field(default=None, sa_type=Moment)

    def decide(self, state: ReviewState, *, by: str, at: datetime, note: str) -> None:
        """Note what somebody has decided. Raises `ReviewDecided`."""
        if self.state != ReviewState.WAITING:
            raise ReviewDecided(f"{self.decided_by} has decided on it: {self.state}")
        self.state, self.decided_by, self.decided_at, self.note = state.value, by, at, note
        # The words go with the response, or nowhere.
        self.read = {}
