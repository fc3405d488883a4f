"""Letters and parcels that the post brought back, and the files in which it tells of them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from orders_svc.base import Base, Moment


class PostState(StrEnum):
    """Whether it is known whose it was, and whether somebody has seen to it."""

    UNRESOLVED = "unresolved"
    UNKNOWN = "unknown"
    OPEN = "open"
    DONE = "done"


class PostalReturn(Base, table=True):
    """A piece that came back; each comes back once."""

    __tablename__ = "postal_return"
    __table_args__ = (
        CheckConstraint(
            "state IN ('unresolved', 'unknown', 'open', 'done')", name="postal_return_state"
        ),
        Index("postal_return_open", "next_action", "return_id", postgresql_where="state = 'open'"),
        Index("postal_return_person", "person_id"),
        Index("postal_return_merged", "merged_id", postgresql_where="merged_id IS NOT NULL"),
        Index("postal_return_came", "came_at"),
    )

    return_id: UUID = Field(primary_key=True)
    code: str = Field(unique=True)
    kind: str
    reason: str
    way: str
    state: str
    next_action: str
    person_id: UUID | None = None
    merged_id: UUID | None = None
    """The id under which it came, while a merge has it stand with another."""
    campaign_id: UUID | None = None
    order_id: UUID | None = None
    new_address: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """Kept until it is known whose it is; then contacts-svc has it."""
    cost_minor: int = Field(sa_type=BigInteger)
    came_at: datetime = Field(sa_type=Moment)
    noted_at: datetime = Field(sa_type=Moment)
    noted_by: str
    done_at: datetime | None = Field(default=None, sa_type=Moment)


class PostMapping(Base, table=True):
    """How a file of the post is read, as somebody has declared it."""

    __tablename__ = "post_mapping"

    name: str = Field(primary_key=True)
    version: int = 1
    mapping: dict[str, Any] = Field(sa_type=JSONB)


class PostFile(Base, table=True):
    """A file that was taken in; the same bytes are not taken twice."""

    __tablename__ = "post_file"

    digest: str = Field(primary_key=True)
    mapping: str
    result: dict[str, Any] = Field(sa_type=JSONB)
    taken_at: datetime = Field(sa_type=Moment)
