"""What is asked of the facts, and what the answer looks like.

Amounts are minor units of the currency beside them, VAT included; days are UTC, months are their first days.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator

from analytics_svc.facts.model import BOUGHT, HOUSE, Measure
from kantis_kit.web.schemas import In, Out

MEASURES = frozenset({*(one.value for one in Measure), *BOUGHT, *HOUSE})
"""What facts count for: that of campaigns, of people and of the house."""
MOST_LINES = 10_000
_LONGEST, _END = timedelta(days=3_653), 9999


class Dimension(StrEnum):
    """By what an answer is parted; the currency always is a part of it."""

    CAMPAIGN = "campaign_id"
    CELL = "cell_id"
    CHANNEL = "channel"
    LABEL = "label"
    DAY = "day"
    MONTH = "month"


class Question(In):
    """What facts add up to in a span of days, both included, at most ten years: measures, parted by some dimensions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"measures": ["sent", "revenue_minor"], "since": "2026-01-01", "until": "2026-03-31", "by": ["channel", "month"]}
            ]
        }
    )  # fmt: skip

    measures: Annotated[list[str], Field(min_length=1, max_length=len(MEASURES))]
    since: date
    until: date
    by: Annotated[list[Dimension], Field(max_length=len(Dimension))] = []
    campaign_id: UUID | None = None
    channel: Annotated[str, StringConstraints(max_length=40)] | None = None
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] | None = None
    """Amounts in this currency alone; counts have none, and are left out."""

    @field_validator("measures")
    @classmethod
    def _are_known(cls, value: list[str]) -> list[str]:
        if unknown := sorted({*value} - MEASURES):
            message = f"{', '.join(unknown)}: not counted; there are {', '.join(sorted(MEASURES))}"
            raise ValueError(message)
        return sorted({*value})

    @model_validator(mode="after")
    def _is_a_span(self) -> "Question":
        if not (self.since <= self.until and self.until - self.since <= _LONGEST):
            message = f"until={self.until} must be a day from since={self.since} on, at most ten years later"
            raise ValueError(message)
        if self.until.year >= _END:
            message = f"until={self.until} must be a day before the year {_END}"
            raise ValueError(message)
        return self

    @property
    def parts(self) -> list[Dimension]:
        """Return the dimensions, each once, in the order of their declaration."""
        return [one for one in Dimension if one in self.by]


class AnswerLine(Out):
    """What a measure adds up to in a part, and how many known people that is of; parts that were not asked for are null."""

    month: date | None = None
    day: date | None = None
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    """Null, too, for what belongs to no cell."""
    channel: str | None = None
    label: str | None = None
    measure: str
    currency: str
    """Empty for what is counted."""
    value: int
    people: int


class Answer(Out):
    """The lines of an answer, which store gave it, and how many changes of facts that store has not heard of yet."""

    store: str
    waiting: int
    items: list[AnswerLine]
