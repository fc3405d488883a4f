"""What the API takes and shows of care models."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from kantis_contracts.values import Channel
from kantis_kit.web.schemas import In, Out

Text = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class GoalKind(StrEnum):
    """What is to be reached."""

    RETENTION = "retention"
    """Of those who had bought before the days that are looked at, per cent who bought in them."""
    SATISFACTION = "satisfaction"
    """Of the marks for satisfaction (CSAT) given in the days, per cent of 4 and 5."""
    RECOMMENDATION = "recommendation"
    """The net promoter score of the days: per cent of 9 and 10 less per cent of 0 to 6."""
    REPEAT_PURCHASE = "repeat_purchase"
    """Of those who bought in the days, per cent who bought twice or more."""
    REFERRAL = "referral"
    """Rewarded referrals in the days, per 100 people."""


class Goal(In):
    """A goal, and over how many days it is looked at."""

    kind: GoalKind
    target: float = Field(ge=-100, le=1_000)
    days: int = Field(default=365, ge=1, le=3_650)


class Step(In):
    """What happens how long after somebody came into the segment, and again after how long."""

    what: Text
    after_days: int = Field(ge=0, le=3_650)
    every_days: int | None = Field(default=None, ge=1, le=3_650)
    channel: Channel | None = None


class CareIn(In):
    """How a segment is cared for. Have the segment announce everything that changes, so that its people are known here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "segment_id": "00000000-0000-7000-8000-000000000001",
                    "name": "New customers",
                    "goals": [{"kind": "repeat_purchase", "target": 30, "days": 180}],
                    "channel_mix": {"email": 80, "letter": 20},
                    "most_per_month": 4,
                }
            ]
        }
    )

    segment_id: UUID
    name: Text
    goals: list[Goal] = Field(min_length=1, max_length=20)
    offering: list[Text] = Field(default_factory=list, max_length=50)
    cadence: list[Step] = Field(default_factory=list, max_length=100)
    channel_mix: dict[Channel, Annotated[int, Field(ge=0, le=100)]] = Field(default_factory=dict)
    most_per_month: int = Field(
        ge=0,
        le=1_000,
        description="Messages that one person gets in 30 days: of campaigns, rules, programmes, the club",
    )

    @model_validator(mode="after")
    def check_whole(self) -> "CareIn":
        """Shares make a whole; a goal is set once."""
        if self.channel_mix and sum(self.channel_mix.values()) != 100:  # noqa: PLR2004 - per cent
            message = f"channel_mix: the shares make {sum(self.channel_mix.values())} %, not 100 %"
            raise ValueError(message)
        kinds = [one.kind for one in self.goals]
        if len(set(kinds)) < len(kinds):
            message = "goals: two are of the same kind"
            raise ValueError(message)
        return self


class CareOut(Out):
    """A care model."""

    id: UUID
    segment_id: UUID
    name: str
    version: int
    goals: list[Goal]
    offering: list[str]
    cadence: list[Step]
    channel_mix: dict[str, int]
    most_per_month: int
    changed_by: str
    changed_at: datetime


class GoalState(Out):
    """How a goal stands. Without a basis there is no value, and nothing is claimed."""

    kind: GoalKind
    days: int
    target: float
    value: float | None
    basis: int
    """How many people, marks or buyers the value rests on."""
    is_met: bool | None
    gap: float | None


class BudgetState(Out):
    """How the budget of contacts stands, over 30 days."""

    most_per_month: int
    pieces: int
    """Messages of whatever asked for them."""
    per_person: float
    people_over: int
    people_full: int
    """Who may get no further piece now."""


class MixState(Out):
    """The share of a channel: what was meant, and what it was within 30 days."""

    channel: str
    meant_pct: int
    pieces: int
    actual_pct: float | None


class CareState(Out):
    """The state of a segment against its care model."""

    model_id: UUID
    segment_id: UUID
    people: int
    goals: list[GoalState]
    budget: BudgetState
    channels: list[MixState]
