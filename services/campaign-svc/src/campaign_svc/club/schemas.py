"""What the API takes and shows of the club."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator

from campaign_svc.actions.schemas import Action
from kantis_contracts.values import Currency, Language, MessageClass
from kantis_kit.web.schemas import In, Out

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class TermsIn(In):
    """New terms, in every language in which people join."""

    texts: dict[Language, Annotated[str, StringConstraints(min_length=1, max_length=20_000)]] = (
        Field(min_length=1)
    )


class TermsOut(Out):
    """A version of the terms."""

    version: int
    texts: dict[str, str]
    published_by: str
    published_at: datetime


class Tier(In):
    """A tier, reached by the points that were earned within a year."""

    key: Key
    name: Text
    from_points: int = Field(ge=0, le=10**9)
    earn_pct: int = Field(
        default=100, ge=1, le=1_000, description="Points earned, against the first tier's"
    )


class Benefit(In):
    """What a member gets for points, or for being in a tier: a coupon of a series, or what the till hands over."""

    key: Key
    name: Text
    points: int = Field(default=0, ge=0, le=10**9)
    from_tier: Key | None = None
    series_id: UUID | None = Field(default=None, description="The series of which it is a coupon")


class RulesIn(In):
    """How points are earned and when they expire."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "currency": "NOK",
                    "minor_per_point": 1000,
                    "tiers": [{"key": "silver", "name": "Silver", "from_points": 0}],
                }
            ]
        }
    )

    currency: Currency
    minor_per_point: int = Field(ge=1, le=10**9, description="So much paid earns a point")
    expires_after_days: int = Field(default=730, ge=1, le=10_000)
    tiers: list[Tier] = Field(min_length=1, max_length=20)
    benefits: list[Benefit] = Field(default_factory=list, max_length=100)

    @model_validator(mode="after")
    def check_tiers(self) -> "RulesIn":
        """Everybody is in one tier, the lowest from the first point."""
        starts = [one.from_points for one in self.tiers]
        if starts[0] != 0 or starts != sorted(set(starts)):
            message = "tiers: begin with one from 0 points, each further one from more"
            raise ValueError(message)
        keys = {one.key for one in self.tiers}
        lost = [one.key for one in self.benefits if one.from_tier and one.from_tier not in keys]
        if lost:
            message = f"benefits: {', '.join(lost)} are for a tier that is not among the tiers"
            raise ValueError(message)
        return self


class RulesOut(Out):
    """The rules."""

    currency: str
    minor_per_point: int
    expires_after_days: int
    tiers: list[Tier]
    benefits: list[Benefit]
    changed_at: datetime


class Occasion(StrEnum):
    """What happens to a member."""

    WELCOME = "welcome"
    """They have joined."""
    TIER_REACHED = "tier_reached"
    """What they earned within a year has reached a higher tier; each once a year."""
    POINTS_EXPIRING = "points_expiring"
    """Some of their points expire soon; once a month at most."""


CLASSES: Mapping[Occasion, frozenset[MessageClass]] = {
    Occasion.WELCOME: frozenset({MessageClass.SERVICE, MessageClass.TRANSACTIONAL}),
    Occasion.TIER_REACHED: frozenset({MessageClass.SERVICE}),
    Occasion.POINTS_EXPIRING: frozenset({MessageClass.SERVICE}),
}
"""What may be told without permission: that the contract has begun, and what it gives or takes. A membership is never a
consent, so that whatever else is said there goes as marketing, to whom permission allows."""


class ClubMessageIn(In):
    """What is done when it happens: a message by templates of the company's own, a programme, a task, a coupon."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "action": {
                        "kind": "message",
                        "ways": [
                            {
                                "channel": "email",
                                "template_id": "00000000-0000-7000-8000-000000000001",
                            }
                        ],
                        "message_class": "service",
                        "class_reason": "Points of the membership are about to expire",
                    },
                    "days_before": 30,
                }
            ]
        }
    )

    action: Action
    days_before: int = Field(
        default=30, ge=1, le=365, description="Of points that expire: so long before"
    )


class ClubMessageOut(Out):
    """What is done when something happens to a member."""

    occasion: Occasion
    version: int
    action: dict[str, Any]
    days_before: int
    changed_by: str
    changed_at: datetime


class JoinIn(In):
    """Somebody joins, under the terms that they were shown. This is a membership, never a consent to advertising."""

    person_id: UUID
    terms_version: int
    place: str = Field(default="", max_length=100)


class MemberOut(Out):
    """A member, the tier and the points. `owed` is what was spent before its order came back."""

    number: str
    person_id: UUID
    name: str
    terms_version: int
    joined_at: datetime
    left_at: datetime | None
    tier: str
    year_points: int
    balance: int
    owed: int
    standing: str
    """In a sentence."""


class EntryOut(Out):
    """An entry of the ledger."""

    id: UUID
    kind: str
    points: int
    order_id: UUID | None
    reason: str
    by: str
    at: datetime
    expires_at: datetime | None


class SpendIn(In):
    """Points that are spent, such as at a till."""

    points: int = Field(ge=1, le=10**9)
    reason: Text


class AdjustIn(In):
    """Points given or taken by a person, who says why."""

    points: int = Field(ge=-(10**9), le=10**9)
    reason: Text

    @field_validator("points")
    @classmethod
    def check_points(cls, points: int) -> int:
        """An entry of nothing says nothing."""
        if points == 0:
            message = "say how many points are given (1 and more) or taken (-1 and less)"
            raise ValueError(message)
        return points


class ReturnItem(In):
    """What has come back of an order, in all: telling the same twice changes nothing."""

    order_id: UUID
    returned_minor: int = Field(ge=0, le=10**12)


class ReturnsIn(In):
    """Orders of which goods have come back."""

    items: list[ReturnItem] = Field(min_length=1, max_length=1_000)


class BenefitOut(Out):
    """A benefit that was handed out: the coupon's code, when it is one."""

    key: str
    name: str
    points: int
    code: str | None
    balance: int
