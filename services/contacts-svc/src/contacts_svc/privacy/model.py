"""Erasures and their receipts."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid, column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment

SERVICES = ("analytics", "campaign", "gateway", "messaging", "orders")
"""Who holds something of people beside contacts, and answers with a receipt."""
FIRST_PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=24)


class ReceiptState(StrEnum):
    """Whether a service has said that it has forgotten."""

    ASKED = "asked"
    DONE = "done"


class ErasureRow(Base, table=True):
    """A person who was forgotten; names nobody, and is never deleted or taken back."""

    __tablename__ = "erasure"
    __table_args__ = (Index("ix_erasure_requested", "requested_at", "id"),)

    id: UUID = Field(primary_key=True)
    person_id: UUID = Field(unique=True)
    person_ids: list[str] = Field(sa_type=JSONB)
    """With every id that was merged into theirs."""
    requested_at: datetime = Field(sa_type=Moment)
    requested_by: str
    salt: str
    address_hashes: list[str] = Field(sa_type=JSONB)
    """For those who find a person by an address alone; emptied when every service has answered."""
    removed: dict[str, int] = Field(sa_type=JSONB)
    """Rows of contacts itself, by kind."""


class Receipt(Base, table=True):
    """What one service has answered to one erasure."""

    __tablename__ = "erasure_receipt"
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'done')", name="erasure_receipt_state_check"),
        Index(
            "ix_erasure_receipt_open",
            "erasure_id",
            postgresql_where=column("state") == "asked",
        ),
    )

    erasure_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("erasure.id"),)
    )
    service: str = Field(primary_key=True)
    state: str = ReceiptState.ASKED
    asks: int = 1
    asked_at: datetime = Field(sa_type=Moment)
    overdue_at: datetime = Field(sa_type=Moment)
    done_at: datetime | None = Field(default=None, sa_type=Moment)
    removed: dict[str, int] = Field(sa_type=JSONB)
    kept: list[dict[str, Any]] = Field(sa_type=JSONB)


def pause_after(asks: int) -> timedelta:
    """Return how long to wait for an answer after so many asks."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(asks - 1, 20)))
