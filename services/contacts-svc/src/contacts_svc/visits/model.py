"""Tables of sites, visitors and what they have looked at."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment

LONGEST_AGO = timedelta(hours=24)
"""A view that is told later than this counts as this old: the browser's clock is not ours."""
_BOT = re.compile(
    r"(?<!cu)bots?\b|crawl|spider|slurp|headless|phantom|preview|scan|monitor|lighthouse|curl/|wget/"
    r"|python-|httpclient|facebookexternalhit|embedly|bingpreview",
    re.IGNORECASE,
)


class Site(Base, table=True):
    """A web site of the company, and from where its script may report."""

    key: str = Field(primary_key=True)
    origins: list[str] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class Visitor(Base, table=True):
    """A browser whose user allows that visits are kept. `continued_as`: who uses it since somebody else came."""

    id: UUID = Field(primary_key=True)
    site_key: str
    consent_version: str
    consented_at: datetime = Field(sa_type=Moment)
    evidence: dict[str, Any] = Field(sa_type=JSONB)
    first_at: datetime = Field(sa_type=Moment)
    last_at: datetime = Field(sa_type=Moment, index=True)
    continued_as: UUID | None = None


class VisitorPerson(Base, table=True):
    """Who a visitor is. A visitor is one person for ever; somebody else at the same browser is another visitor."""

    __tablename__ = "visitor_person"

    visitor_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(index=True)
    joined_by: str
    joined_at: datetime = Field(sa_type=Moment)


class PageView(Base, table=True):
    """A page that a visitor has looked at."""

    __tablename__ = "page_view"
    __table_args__ = (
        Index("ix_page_view_visitor", "visitor_id", "seen_at"),
        Index("ix_page_view_seen_at", "seen_at", postgresql_using="brin"),
    )

    visitor_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    path: str
    title: str
    came_from: str
    campaign: str
    seen_at: datetime = Field(sa_type=Moment)


def is_machine(user_agent: str) -> bool:
    """Say whether a browser says of itself that nobody sits before it, or says nothing at all."""
    return not user_agent or _BOT.search(user_agent) is not None


def moment_of(now: datetime, ago_ms: int) -> datetime:
    """Return when a view was, by our clock."""
    return now - min(timedelta(milliseconds=ago_ms), LONGEST_AGO)
