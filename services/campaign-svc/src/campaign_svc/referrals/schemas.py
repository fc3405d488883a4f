"""What the API takes and shows of referrals."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from kantis_kit.web.schemas import In, Out

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\"'<>]{1,500}$")]


class ReferralState(StrEnum):
    """What has become of a referral."""

    CLAIMED = "claimed"
    HELD = "held"
    """A person looks at it first."""
    REFUSED = "refused"
    REWARDED = "rewarded"
    TAKEN_BACK = "taken_back"


class RulesIn(In):
    """What a referral is worth: points for a member, a coupon for another referrer, a coupon for who came."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"landing_url": "https://www.example.com/friends", "points": 100}]
        }
    )

    landing_url: Url = Field(description="Where the link leads; the code is added as ?ref=")
    points: int = Field(default=0, ge=0, le=10**6)
    referrer_series_id: UUID | None = None
    referred_series_id: UUID | None = None
    most_per_day: int = Field(
        default=5, ge=1, le=1_000, description="More of one referrer within a day wait for a person"
    )


class RulesOut(Out):
    """The rules."""

    landing_url: str
    points: int
    referrer_series_id: UUID | None
    referred_series_id: UUID | None
    most_per_day: int
    changed_at: datetime


class ReferrerIn(In):
    """Who wants to refer others; a customer or not."""

    person_id: UUID


class ReferrerOut(Out):
    """A referrer's code and link, to be passed on by themselves: we write to no stranger."""

    code: str
    person_id: UUID
    url: str
    made_at: datetime


class ReferralIn(In):
    """Who came with the code."""

    person_id: UUID


class ReferralOut(Out):
    """A referral, and what spoke against it when something did."""

    id: UUID
    code: str
    person_id: UUID
    state: ReferralState
    why: str
    claimed_at: datetime
    decided_by: str
    order_id: UUID | None
    points: int
    rewarded_at: datetime | None


class DecisionIn(In):
    """What a person decides on a referral that is held."""

    accept: bool
    reason: str = Field(min_length=3, max_length=300)
