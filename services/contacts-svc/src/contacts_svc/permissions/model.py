"""The permission ledger: every yes and no with its proof, and what follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment
from contacts_svc.permissions.kinds import RegisterKind, Scope
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


class Suppression(Base, table=True):
    """An address that must not be written to in a scope; only its keyed hash, so that erasing a person leaves it."""

    __tablename__ = "suppression_scope"
    __table_args__ = (UniqueConstraint("hash", "scope", "scope_id"),)

    id: UUID = Field(primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary)
    kind: str
    scope: str
    scope_id: str = ""
    """The list's id, the topic's key, or the channel; empty for everything."""
    reason: str = ""
    actor: str = ""
    at: datetime = Field(sa_type=Moment)


class Topic(Base, table=True):
    """Something that people may want to hear of, in the company's words; below one purpose."""

    key: str = Field(primary_key=True)
    purpose: str
    names: dict[str, str] = Field(sa_type=JSONB)
    """Its name in each language."""
    position: int = 0
    is_open: bool = True
    """Whether it is still offered; a closed one keeps what people have said."""
    version: int = 1


class Preference(Base, table=True):
    """How a person wants to be written to; what they never said is empty."""

    person_id: UUID = Field(primary_key=True)
    channels: list[str] = Field(default_factory=list, sa_type=JSONB)
    """The one they like best first."""
    topics: dict[str, bool] = Field(default_factory=dict, sa_type=JSONB)
    hour_from: int | None = None
    hour_to: int | None = None
    days: list[int] = Field(default_factory=list, sa_type=JSONB)
    """ISO weekdays, Monday is 1; empty is any."""
    per_month: int | None = None
    """At most so many messages that advertise."""
    paused_until: datetime | None = Field(default=None, sa_type=Moment)
    version: int = 1
    updated_at: datetime = Field(sa_type=Moment)


class Register(Base, table=True):
    """A reservation register of a country: which channels it covers, and how old the last wash may be."""

    __tablename__ = "reservation_register"

    id: UUID = Field(primary_key=True)
    key: str = Field(unique=True)
    name: str
    country: str
    channels: list[str] = Field(sa_type=JSONB)
    matches: str
    interval_days: int
    mapping: dict[str, str] = Field(sa_type=JSONB)
    """What we need, and how the column is called in the register's file."""
    version: int = 1
    created_at: datetime = Field(sa_type=Moment)


class Wash(Base, table=True):
    """A file of a register that was taken in; the newest one says whom the register names."""

    __table_args__ = (Index("ix_wash_register", "register_id", "as_of"),)

    id: UUID = Field(primary_key=True)
    register_id: UUID = Field(sa_column_args=(ForeignKey("reservation_register.id"),))
    as_of: date
    """The day of which the register's file is."""
    file_sha256: str
    rows: int
    named: int
    refused: int
    actor: str
    at: datetime = Field(sa_type=Moment)


class RegisterHit(Base, table=True):
    """Somebody whom a register names, as a keyed hash."""

    __tablename__ = "register_hit"

    register_id: UUID = Field(
        primary_key=True, sa_column_args=(ForeignKey("reservation_register.id"),)
    )
    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    wash_id: UUID


class Doorstep(Base, table=True):
    """By which hash registers name a person at their address, worked out beforehand: that takes longer than all the rest."""

    person_id: UUID = Field(primary_key=True)
    seal: int = Field(sa_type=BigInteger)
    """Of the name, the address and the key: the hash counts while it is that of what they are now."""
    hash: bytes = Field(sa_type=LargeBinary)


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


__all__ = [
    "ASKED_FIRST",
    "LedgerEntry",
    "PermissionNow",
    "Preference",
    "Register",
    "RegisterHit",
    "RegisterKind",
    "Scope",
    "Statement",
    "Suppression",
    "Topic",
    "Wash",
    "WithdrawalSeen",
    "allows",
    "next_state",
]
