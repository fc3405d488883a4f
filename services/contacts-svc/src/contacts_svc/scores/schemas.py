"""Shapes of data quality at the API."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from kantis_kit.web.schemas import Out


class QualityOut(Out):
    """How good what is known of a contact is now, in percent, and what would mend it."""

    person_id: UUID
    score: int
    completeness: int
    validity: int
    reachability: int
    freshness: int
    findings: list[str] = Field(
        description="Such as missing_phone, undeliverable_email, no_sign_of_life_in_a_year"
    )
    source: str
    last_sign_at: datetime


class SourceOut(Out):
    """How good the contacts of one source are on average, in percent."""

    source: str
    people: int
    score: int
    completeness: int
    validity: int
    reachability: int
    freshness: int
    oldest_at: datetime
    """When the score that was worked out longest ago was."""
