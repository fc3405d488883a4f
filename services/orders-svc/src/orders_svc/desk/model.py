"""Batches of pieces that were counted in, and what was keyed of them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from orders_svc.base import Base, Moment
from orders_svc.desk.errors import BatchClosed


class Outcome(StrEnum):
    """What became of a piece."""

    REGISTERED = "registered"
    REJECTED = "rejected"


class Batch(Base, table=True):
    """Pieces that came in together and were counted: each is registered or rejected before it closes."""

    __tablename__ = "desk_batch"
    __table_args__ = (
        CheckConstraint("counted > 0", name="desk_batch_counted"),
        Index("desk_batch_open", "batch_id", postgresql_where="closed_at IS NULL"),
    )

    batch_id: UUID = Field(primary_key=True)
    name: str
    way: str
    counted: int
    opened_by: str
    opened_at: datetime = Field(sa_type=Moment)
    closed_by: str = ""
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    difference: int = 0
    """How many pieces more were counted in than keyed, when it was closed all the same; `note` says why."""
    note: str = ""

    def must_be_open(self) -> None:
        """Raise `BatchClosed` when nothing more can be keyed in it."""
        if self.closed_at is not None:
            raise BatchClosed(
                f"{self.closed_by} closed the batch {self.name!r} at {self.closed_at:%Y-%m-%d %H:%M} UTC;"
                " open another for what is left"
            )


class Entry(Base, table=True):
    """A piece of a batch: registered, with its responses, or rejected."""

    __tablename__ = "desk_entry"
    __table_args__ = (
        CheckConstraint("outcome IN ('registered', 'rejected')", name="desk_entry_outcome"),
        CheckConstraint("(outcome = 'rejected') = (reason <> '')", name="desk_entry_reason"),
        Index("desk_entry_batch", "batch_id", "entry_id"),
    )

    entry_id: UUID = Field(primary_key=True)
    batch_id: UUID = Field(foreign_key="desk_batch.batch_id")
    outcome: str
    response_code: str | None = None
    reason: str = ""
    note: str = ""
    keyed_by: str
    keyed_at: datetime = Field(sa_type=Moment)
