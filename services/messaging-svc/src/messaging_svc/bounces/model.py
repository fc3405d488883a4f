"""What came back of messages, and what it says of an address."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column, LargeBinary, Table, Text

from messaging_svc.base import Moment, Uid, metadata

SOFT_LIMIT = 3
"""On so many days a message must have come back for a passing reason before the address is left alone for a while."""
SOFT_WINDOW = timedelta(days=60)
SOFT_PAUSE = timedelta(days=90)
"""So long it is left alone; what arrives or is opened in between ends it at once."""
REPUTATION_WINDOW = timedelta(hours=24)


class Category(StrEnum):
    """Why a message came back."""

    BAD_ADDRESS = "bad_address"
    FULL = "full"
    POLICY = "policy"
    """The other side does not like our network, or how we send: our affair, never the recipient's."""
    CONTENT = "content"
    TRANSIENT = "transient"
    AUTO_REPLY = "auto_reply"
    COMPLAINT = "complaint"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"


SOFT = frozenset({Category.FULL, Category.TRANSIENT, Category.UNKNOWN})
"""Counted, and forgotten when something arrives."""

bounce = Table(
    "bounce",
    metadata,
    Column("id", Uid, primary_key=True),
    Column("source", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("message_id", Uid),
    Column("person_id", Uid),
    Column("channel", Text, nullable=False),
    Column("address_hash", LargeBinary),
    Column("category", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("diagnostic", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("undone_at", Moment),
    Column("undone_by", Text, nullable=False),
    Column("undone_why", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A category and the rule of the table that gave it."""

    category: Category
    rule: str


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that came back; one external id counts once per source."""

    source: str
    """`dsn`, `complaint`, `webhook` or `report`."""
    external_id: str
    channel: str
    verdict: Verdict
    occurred_at: datetime
    message_id: UUID | None = None
    """Which message it is about, as far as that can be trusted; without it an incident is kept and changes nothing."""
    address: str = ""
    """The address that the other side names."""
    status: str = ""
    diagnostic: str = ""
    evidence: str = ""


def is_worn_out(moments: Iterable[datetime], *, now: datetime) -> bool:
    """Say whether an address is to be left alone, by when messages came back from it for passing reasons."""
    told = sorted(moments)
    if not told or now >= told[-1] + SOFT_PAUSE:
        return False
    return len({at.date() for at in told if at > told[-1] - SOFT_WINDOW}) >= SOFT_LIMIT
