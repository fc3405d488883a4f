"""What the API takes and shows of caps."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from kantis_contracts.values import Channel
from kantis_kit.web.schemas import In, Out

YEAR_SECONDS = 366 * 86_400
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Minor = Annotated[int, Field(ge=0, le=10**15)]


class FrequencyCapIn(In):
    """At most so many messages that advertise for one person in any time of that length."""

    channel: Channel | None = Field(default=None, description="Left out: every channel together")
    max_messages: int = Field(ge=1, le=1_000)
    window_hours: int = Field(ge=1, le=YEAR_SECONDS // 3_600)


class FrequencyCapOut(Out):
    """A cap over all campaigns. What people wish of themselves (`per_month`) holds besides."""

    id: UUID
    channel: Channel | None
    max_messages: int
    window_hours: int
    changed_at: datetime


class SpendCapIn(In):
    """At most so much is spent in a channel on a day, in a month, or for a campaign."""

    channel: Channel
    period: Literal["day", "month", "campaign"]
    campaign_id: UUID | None = Field(
        default=None,
        description="With the period `campaign`; left out: for each campaign by itself",
    )
    currency: Currency
    limit_minor: Minor

    @model_validator(mode="after")
    def make_sense(self) -> Self:
        """Refuse a campaign beside a day or a month."""
        if self.campaign_id is not None and self.period != "campaign":
            message = "campaign_id: goes with the period campaign only"
            raise ValueError(message)
        return self


class SpendCapPatch(In):
    """A new limit, and why."""

    limit_minor: Minor
    reason: str = Field(min_length=3, max_length=500)


class SpentOut(Out):
    """What was spent on a day, in a month or for a campaign; `scope` says which."""

    scope: str
    spent_minor: int
    pieces: int


class SpendCapOut(Out):
    """A spend cap with what was spent lately. `reached_at` is set while messages wait for it."""

    id: UUID
    channel: Channel
    period: str
    campaign_id: UUID | None
    currency: str
    limit_minor: int
    reached_at: datetime | None
    changed_at: datetime
    waiting: int = Field(description="Messages of this channel that wait for a budget")
    spent: list[SpentOut] = Field(description="The newest twelve")
