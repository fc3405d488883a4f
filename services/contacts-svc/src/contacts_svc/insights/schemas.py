"""Shapes of insights at the API."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, field_validator

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Instant, Out

MAX_BATCH = 1_000
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=120)]


def _every_language(words: dict[Language, str]) -> dict[Language, str]:
    missing = [language.value for language in Language if language not in words]
    if missing:
        message = f"give the term in every language; missing: {', '.join(missing)}"
        raise ValueError(message)
    return words


class InsightKind(StrEnum):
    """What kind of thing was learned."""

    NEED = "need"
    OBJECTION = "objection"
    MOTIVE = "motive"
    BARRIER = "barrier"
    NO_BUY_REASON = "no_buy_reason"


class InsightSource(StrEnum):
    """Where it was learned."""

    SURVEY = "survey"
    CALL = "call"
    CAMPAIGN = "campaign"
    FORM = "form"
    MEETING = "meeting"
    OTHER = "other"


class TermIn(In):
    """A new word of the vocabulary."""

    key: Key = Field(description="What conditions, forms and files call it; never changed")
    kind: InsightKind
    words: dict[Language, Word] = Field(description="The term in nb, sv, da, fi and en")

    _complete = field_validator("words")(_every_language)


class TermPut(In):
    """The words of a term, and whether it is closed."""

    words: dict[Language, Word]
    is_closed: bool = False

    _complete = field_validator("words")(_every_language)


class TermOut(Out):
    """A word of the vocabulary."""

    id: UUID
    key: str
    version: int
    kind: str
    words: dict[str, str]
    is_closed: bool
    created_at: datetime
    updated_at: datetime


class InsightIn(In):
    """Something that a contact has said or shown."""

    term: Key = Field(description="Key of an open term")
    strength: int = Field(default=3, ge=1, le=5, description="1 mentioned it, 5 decides by it")
    source: InsightSource
    campaign_id: UUID | None = None
    note: str = Field(default="", max_length=1_000)
    said_at: Instant | None = Field(
        default=None, description="When it was said; now when left out, never in the future"
    )
    until: Instant | None = Field(
        default=None, description="When it stops to hold, such as the end of a contract elsewhere"
    )


class InsightsIn(In):
    """Up to 1,000 insights of one contact; all are kept, or none."""

    items: list[InsightIn] = Field(min_length=1, max_length=MAX_BATCH)


class InsightOut(Out):
    """An insight about a contact."""

    id: UUID
    person_id: UUID
    term: str
    kind: str
    words: dict[str, str]
    strength: int
    source: str
    campaign_id: UUID | None
    note: str
    actor: str
    said_at: datetime
    until: datetime | None
    holds: bool
    """Whether it holds now."""


class MatchIn(In):
    """How well a product answers a need."""

    product_id: UUID
    weight: int = Field(default=3, ge=1, le=5)


class ProductsIn(In):
    """The products that answer a need; they replace those before."""

    items: list[MatchIn] = Field(max_length=500)


class ProductOut(Out):
    """A product that answers a need."""

    product_id: UUID
    sku: str
    name: str
    price_minor: int
    currency: str
    available: int
    is_active: bool
    weight: int


class MatchOut(Out):
    """A product for a contact: the needs that it answers, and how well altogether."""

    product_id: UUID
    sku: str
    name: str
    price_minor: int
    currency: str
    available: int
    needs: list[str]
    score: int
    has_bought: bool
