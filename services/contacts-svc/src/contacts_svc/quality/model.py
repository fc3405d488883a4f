"""Who may be the same person as whom, and who was merged into whom."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, UniqueConstraint, column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment
from contacts_svc.quality.kinds import MergeState, PairState


class DuplicateDue(Base, table=True):
    """A person who has changed and is to be compared with others."""

    __tablename__ = "duplicate_due"

    person_id: UUID = Field(primary_key=True)
    times: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """How often that was so since the last comparison: what changes during one is compared once more."""


class DuplicateKey(Base, table=True):
    """What people who may be the same have in common, as a hash that tells nothing."""

    __tablename__ = "duplicate_key"
    __table_args__ = (Index("ix_duplicate_key_block", "key", "person_id"),)

    person_id: UUID = Field(primary_key=True)
    key: int = Field(sa_type=BigInteger, primary_key=True)


class DuplicateBlock(Base, table=True):
    """A key that more people share than each is compared with: a switchboard, a mailbox of everybody's, a first name."""

    __tablename__ = "duplicate_block"

    key: int = Field(
        sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    kind: str
    seen_at: datetime = Field(sa_type=Moment)


class DuplicatePair(Base, table=True):
    """Two people who may be the same one; the lower id stands first."""

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        UniqueConstraint("one_id", "other_id"),
        Index("ix_duplicate_pair_other", "other_id"),
        Index("ix_duplicate_pair_queue", "state", column("score").desc(), "id"),
        Index("ix_duplicate_pair_rules", "rules", postgresql_where=column("state") == "open"),
    )

    id: UUID = Field(primary_key=True)
    one_id: UUID
    other_id: UUID
    score: int = Field(sa_type=Integer)
    reasons: list[str] = Field(sa_type=JSONB)
    state: str = PairState.OPEN
    found_at: datetime = Field(sa_type=Moment)
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    decided_by: str = ""
    rules: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """By which version of the rules the two were compared; 0 for those of releases that did not note it."""


class Merge(Base, table=True):
    """Two records of one person that became one, with all that undoing it needs."""

    __table_args__ = (
        Index("ix_merge_known", "known_id"),
        Index(
            "ix_merge_merged",
            "merged_id",
            unique=True,
            postgresql_where=column("state") != "undone",
        ),
        Index(
            "ix_merge_untold",
            "merged_at",
            postgresql_where=column("told_at").is_(None) & (column("state") == "done"),
        ),
    )

    id: UUID = Field(primary_key=True)
    known_id: UUID
    merged_id: UUID
    reason: str = ""
    state: str = MergeState.DONE
    kept: dict[str, Any] = Field(sa_type=JSONB)
    """The merged record as it was, and what was moved; emptied when the person is erased."""
    merged_at: datetime = Field(sa_type=Moment)
    merged_by: str
    undone_at: datetime | None = Field(default=None, sa_type=Moment)
    undone_by: str = ""
    told_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the other services were told; empty for merges of releases that did not tell."""
