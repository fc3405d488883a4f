"""Shapes of sites and visits."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from kantis_kit.web.schemas import In, Out

SiteKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-zA-Z0-9.-]{1,200}(:[0-9]{1,5})?$")]


class SiteIn(In):
    """From where a site's script may report."""

    origins: list[Origin] = Field(min_length=1, max_length=50)


class SiteOut(Out):
    """A site, and the tag that brings its script into a page."""

    key: str
    origins: list[str]
    tag: str = ""
    created_at: datetime
    updated_at: datetime


class ViewIn(In):
    """A page that was looked at. Only the path is kept of its address, and the campaign that its link named."""

    id: UUID
    path: str = Field(max_length=2_000)
    title: str = Field(default="", max_length=300)
    came_from: str = Field(default="", max_length=300, description="The host of the page before")
    campaign: str = Field(default="", max_length=100)
    ago_ms: int = Field(default=0, ge=0, le=10**12)


class SeenIn(In):
    """What our script reports."""

    site: SiteKey
    visitor: UUID
    consent: bool = Field(
        description="False takes the consent back: everything of the visitor goes"
    )
    consent_version: str = Field(default="", max_length=40)
    token: str = Field(default="", max_length=300, description="From a link that names its reader")
    views: list[ViewIn] = Field(default=[], max_length=50)


class SeenOut(Out):
    """Who the visitor is from now on: another id when somebody else has come to the same browser."""

    visitor: UUID


class VisitOut(Out):
    """A page that a contact has looked at."""

    id: UUID
    visitor_id: UUID
    site: str
    path: str
    title: str
    came_from: str
    campaign: str
    seen_at: datetime


class VisitLink(Out):
    """What a link carries so that its reader is known on the site: append it as `?kv=`."""

    token: str
    expires_at: datetime
