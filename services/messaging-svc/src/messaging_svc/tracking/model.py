"""Evidence of clicks and openings, withdrawals, and addresses that get no marketing."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from kantis_contracts.values import Channel, Purpose
from messaging_svc.base import Moment, Uid, metadata

engagement = Table(
    "engagement",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("message_id", Uid, nullable=False),
    Column("link", Integer),
    Column("method", Text, nullable=False),
    Column("ip_prefix", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("delay_ms", BigInteger),
    Column("verdict", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
)

withdrawal = Table(
    "withdrawal",
    metadata,
    Column("person_id", Uid, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("id", Uid, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("message_id", Uid),
    Column("withdrawn_at", Moment, nullable=False),
)

refusal = Table(
    "refusal",
    metadata,
    Column("person_id", Uid, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("id", Uid, nullable=False, unique=True),
    Column("paused_until", Moment),
    Column("stated_at", Moment, nullable=False),
)

suppression = Table(
    "suppression",
    metadata,
    Column("address_hash", LargeBinary, primary_key=True),
    Column("id", Uid, nullable=False, unique=True),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", Moment, nullable=False),
)


class Kept(NamedTuple):
    """A row of `engagement`; there may be thousands a second, so it is made cheaply."""

    id: UUID
    kind: str
    message_id: UUID
    link: int | None
    method: str
    ip_prefix: str
    user_agent: str
    delay_ms: int | None
    verdict: str
    because: str
    seen_at: datetime


class Mail(NamedTuple):
    """A message as a visitor's click is about it; as cheap as what is kept of the click."""

    id: UUID
    origin: str
    channel: Channel
    purpose: Purpose | None
    person_id: UUID | None
    campaign_id: UUID | None
    cell_id: UUID | None
    response_code: str
    template_version_id: UUID | None
    language: str
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a visitor shows of itself."""

    method: str
    address: str
    user_agent: str
