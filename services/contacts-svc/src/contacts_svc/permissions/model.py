"""The permission ledger: every yes and no with its proof, and what follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, Purpose

ASKED_FIRST = frozenset({Channel.EMAIL, Channel.SMS, Channel.WEB})
"""Channels in which silence means no; a letter or a call may go out until the person refuses.

Source: markedsføringsloven § 15 (NO), marknadsföringslagen § 19 (SE), markedsføringsloven § 10 (DK), 917/2014 § 200 (FI).
"""


def allows(channel: Channel, state: PermissionState | None) -> bool:
    """Say whether a channel may be used for a purpose in this state; None is silence."""
    if channel in ASKED_FIRST:
        return state is PermissionState.GRANTED
    return state is not PermissionState.WITHDRAWN


class LedgerEntry(Base, table=True):
    """One yes, one no, or one question that waits for its answer; never changed, never deleted."""

    __tablename__ = "permission_ledger"
    __table_args__ = (
        Index("ix_permission_ledger_person", "person_id", "seq"),
        UniqueConstraint("person_id", "channel", "purpose", "version"),
    )

    id: UUID = Field(primary_key=True)
    seq: int | None = Field(
        default=None, sa_type=BigInteger, sa_column_args=(Identity(always=True),)
    )
    person_id: UUID
    channel: str
    purpose: str
    state: str
    version: int
    text_shown: str = ""
    text_version: str = ""
    source: str
    legal_basis: str = "consent"
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    actor: str = ""
    occurred_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)


class PermissionNow(Base, table=True):
    """What follows from the ledger for a person, channel and purpose; written in the ledger's transaction."""

    __tablename__ = "permission_state"
    __table_args__ = (
        Index("ix_permission_state_wanted", "channel", "purpose", "state", "person_id"),
    )

    person_id: UUID = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    state: str
    version: int
    ledger_id: UUID
    legal_basis: str
    source: str
    occurred_at: datetime = Field(sa_type=Moment)


class WithdrawalSeen(Base, table=True):
    """A withdrawal that is in the ledger already."""

    __tablename__ = "withdrawal_seen"

    withdrawal_id: UUID = Field(primary_key=True)


@dataclass(frozen=True, slots=True)
class Statement:
    """Something to be entered into the ledger."""

    person_id: UUID
    channel: Channel
    purpose: Purpose
    state: PermissionState
    source: str
    occurred_at: datetime
    text_shown: str = ""
    text_version: str = ""
    legal_basis: str = "consent"
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[UUID, str, str]:
        """What has one state at a time."""
        return self.person_id, self.channel.value, self.purpose.value


def next_state(
    now: tuple[PermissionState, datetime] | None, said: PermissionState, at: datetime
) -> tuple[PermissionState, datetime]:
    """Return the state after an entry, and the moment since which it holds.

    An entry that happened before what is known changes nothing, in whatever order they arrive; of two at the same
    moment the no counts. A question does not take away a yes that was given.
    """
    if now is None:
        return said, at
    state, since = now
    if at < since or (at == since and state is PermissionState.WITHDRAWN):
        return now
    if said is PermissionState.PENDING and state is PermissionState.GRANTED:
        return now
    return said, at
