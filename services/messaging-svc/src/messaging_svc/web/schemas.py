"""What the API takes and shows of places."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Instant, Out

PlaceKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Html = Annotated[str, StringConstraints(min_length=1, max_length=50_000)]


class AudienceKind(StrEnum):
    """Who sees something."""

    EVERYBODY = "everybody"
    """Nobody is named: the same for all, and kept by caches."""
    SEGMENT = "segment"
    CAMPAIGN = "campaign"
    """Whom a launch by web reaches."""


class Audience(In):
    """Who sees it; a segment has to announce everything, or only who comes from now on is known."""

    kind: AudienceKind = AudienceKind.EVERYBODY
    id: UUID | None = Field(default=None, description="Of the segment or the campaign")

    @model_validator(mode="after")
    def name_whom(self) -> Self:
        """Refuse a segment or a campaign that is not named."""
        if (self.kind is AudienceKind.EVERYBODY) != (self.id is None):
            message = "id: name the segment or the campaign; leave it out for everybody"
            raise ValueError(message)
        return self


class PlaceIn(In):
    """A place on a web site."""

    name: str = Field(min_length=1, max_length=200)
    default_language: Language = Language.EN


class PlaceOut(Out):
    """A place, and what brings it into a page."""

    key: str
    name: str
    default_language: Language
    tag: str = Field(description="Where the content is to stand, and once the script")
    created_at: datetime
    changed_at: datetime


class ContentIn(In):
    """What a place shows, and to whom."""

    name: str = Field(min_length=1, max_length=200)
    audience: Audience = Audience()
    languages: dict[Language, Html] = Field(
        min_length=1,
        description="HTML; a link to #dismiss closes it. For a segment: greeting() and preferred_name, for a campaign the"
        " offer and response_url as well",
        examples=[{"nb": '<p>Velkommen! <a href="https://shop.example/">Se her</a></p>'}],
    )
    priority: int = Field(default=50, ge=0, le=100, description="The highest is shown")
    valid_from: Instant | None = None
    valid_to: Instant | None = None

    @model_validator(mode="after")
    def make_sense(self) -> Self:
        """Refuse what ends before it begins."""
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            message = "valid_to: must be later than valid_from"
            raise ValueError(message)
        return self


class ContentOut(Out):
    """What a place shows; `number` is the version that stands."""

    id: UUID
    place_key: str
    name: str
    number: int
    audience: AudienceKind
    audience_id: UUID | None
    languages: dict[str, str]
    priority: int
    valid_from: datetime | None
    valid_to: datetime | None
    is_off: bool
    changed_at: datetime


class FigureOut(Out):
    """How often a version was shown, clicked and put away."""

    content_id: UUID
    number: int
    shown: int
    clicked: int
    dismissed: int


class ShownOut(Out):
    """What a visitor is shown."""

    place: str
    content_id: UUID
    version: int
    language: str
    html: str
    is_personal: bool
    evidence: str = Field(description="Says what was shown to whom, for what the page reports")


class SeenIn(In):
    """What happened with what was shown."""

    evidence: str = Field(min_length=1, max_length=300)
    kind: Literal["shown", "clicked", "dismissed"]
    link: int = Field(default=0, ge=0, le=249, description="Which link it was")
