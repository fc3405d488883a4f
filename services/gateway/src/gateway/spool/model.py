"""Leads that wait for their service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.base import Base

WAITING, REFUSED, STUCK = "waiting", "refused", "stuck"
KEPT_HEADERS = (
    b"content-type", b"accept", b"accept-language", b"user-agent", b"origin", b"referer",
    b"x-forwarded-for", b"x-forwarded-proto", b"host",
)  # fmt: skip
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
REQUEST_TIMEOUT, TOO_EARLY, TOO_MANY, CONFLICT = 408, 425, 429, 409
_TRY_AGAIN = frozenset({REQUEST_TIMEOUT, CONFLICT, TOO_EARLY, TOO_MANY, 401})
"""Refusals that say nothing about the lead itself; 401 is ours to mend, not the visitor's."""
BROKEN = 500
MOST_BREAKS = 8
"""How often a service may break over one lead, four minutes in all, before those behind it go first."""
_REFUSALS = range(400, 500)
_GOOD = range(200, 400)


class Spooled(Base, table=True):
    """One lead as it was posted; the row is gone once its service has taken it."""

    __tablename__ = "spool"

    id: UUID = Field(primary_key=True)
    path: str
    query: str
    headers: list[list[str]] = Field(sa_type=JSONB)
    body: bytes
    idempotency_key: str
    correlation_id: UUID | None
    received_at: datetime = Field(sa_type=DateTime(timezone=True))
    state: str = WAITING
    attempts: int = 0
    next_at: datetime = Field(sa_type=DateTime(timezone=True))
    claimed_by: UUID | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    last_status: int | None = None
    problem: str = ""


def kept_headers(headers: list[tuple[bytes, bytes]]) -> list[list[str]]:
    """Return the headers that a lead keeps while it waits."""
    return [[n.decode("latin-1"), v.decode("latin-1")] for n, v in headers if n in KEPT_HEADERS]


def is_taken(status: int) -> bool:
    """Say whether the service has taken the lead."""
    return status in _GOOD


def is_refused(status: int) -> bool:
    """Say whether the service will never take this lead."""
    return status in _REFUSALS and status not in _TRY_AGAIN


def is_away(status: int | None) -> bool:
    """Say whether nobody was there to take the lead, or to refuse it."""
    return status is None or status >= BROKEN


def breaks(status: int | None, attempts: int) -> bool:
    """Say whether the service is there and breaks over this lead, again and again: it must not hold up its form."""
    return status == BROKEN and attempts >= MOST_BREAKS


def pause_seconds(attempts: int) -> float:
    """Return how long to wait after so many attempts in vain."""
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(attempts, 20))
