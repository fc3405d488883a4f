"""What is asked of a funnel, and what comes of it. Amounts are minor units, days are UTC."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from analytics_svc.campaigns.schemas import Rate
from kantis_contracts.values import Channel
from kantis_kit.web.schemas import In, Out

LONGEST_DAYS, _FIRST_YEAR, _LAST_YEAR = 366, 1970, 9998


class Happening(StrEnum):
    """A kind of fact, and what happened to it."""

    PLANNED = "planned"
    SENT = "sent"
    CAME_BACK = "came_back"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    RESPONDED = "responded"
    ORDERED = "ordered"
    SHIPPED = "shipped"
    PAID = "paid"
    RETURNED = "returned"
    INVOICED = "invoiced"
    SETTLED = "settled"
    LEAD = "lead"


MARKS: Mapping[Happening, tuple[tuple[str, ...], str]] = {
    Happening.PLANNED: (("piece", "step"), "released"),
    Happening.SENT: (("piece", "step"), "accepted"),
    Happening.CAME_BACK: (("piece", "step"), "came_back"),
    Happening.OPENED: (("opening",), "seen"),
    Happening.CLICKED: (("click",), "seen"),
    Happening.UNSUBSCRIBED: (("withdrawal",), "seen"),
    Happening.RESPONDED: (("response",), "seen"),
    Happening.ORDERED: (("order",), "placed"),
    Happening.SHIPPED: (("order",), "shipped"),
    Happening.PAID: (("order",), "paid"),
    Happening.RETURNED: (("return",), "returned"),
    Happening.INVOICED: (("invoice",), "issued"),
    Happening.SETTLED: (("invoice",), "settled"),
    Happening.LEAD: (("lead",), "seen"),
}
"""The kinds of facts that a happening is of, and the mark that tells when it was."""
LABELLED = (Happening.RESPONDED, Happening.LEAD, Happening.UNSUBSCRIBED, Happening.RETURNED)
PRICED = (Happening.ORDERED, Happening.PAID, Happening.RETURNED, Happening.INVOICED)


class Step(In):
    """One step: something that happened to a person, with conditions that all must hold."""

    happening: Happening
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    channel: Channel | None = None
    """Of pieces, openings and clicks; answers, orders and money have none."""
    label: Annotated[str, StringConstraints(max_length=200)] = ""
    """Of an answer its kind, or kind and way (`order`, `order/web`); of a lead its form; of a withdrawal its source."""
    currency: Annotated[str, StringConstraints(pattern=r"^([A-Z]{3})?$")] = ""
    at_least_minor: Annotated[int | None, Field(ge=0, le=10**15)] = None
    """Of orders, returns and invoices, together with `currency`."""

    @model_validator(mode="after")
    def is_meant(self) -> "Step":
        """Refuse conditions that no fact of the kind could meet."""
        if self.label and self.happening not in LABELLED:
            message = f"label: leave it out, {self.happening.value} has none; it is for {_named(LABELLED)}"
            raise ValueError(message)
        if (self.currency or self.at_least_minor is not None) and self.happening not in PRICED:
            message = f"currency, at_least_minor: leave them out, {self.happening.value} is no amount; they are for {_named(PRICED)}"  # fmt: skip
            raise ValueError(message)
        if self.at_least_minor is not None and not self.currency:
            message = "at_least_minor: name its currency, too, such as NOK"
            raise ValueError(message)
        return self


def _named(happenings: tuple[Happening, ...]) -> str:
    return ", ".join(one.value for one in happenings)


class WindowOf(StrEnum):
    """What must fit into the window."""

    FUNNEL = "funnel"
    STEP = "step"


class GroupBy(StrEnum):
    """What the first step is told apart by."""

    CAMPAIGN = "campaign"
    CELL = "cell"
    CHANNEL = "channel"


class Funnel(In):
    """Steps that people take one after the other, strictly later each time, within a window."""

    steps: Annotated[list[Step], Field(min_length=2, max_length=10)]
    window_days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = 30
    window_of: WindowOf = WindowOf.FUNNEL
    """`funnel`: from the first step to the last; `step`: from each step to the next."""
    group_by: GroupBy | None = None
    """By the first step; a later fact of another campaign, cell or channel does not count, one of none does."""


class FunnelIn(Funnel):
    """A funnel whose first step lies in a span of days, both included, at most 366."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "since": "2026-01-01",
                    "until": "2026-03-31",
                    "steps": [{"happening": "sent", "channel": "email"}, {"happening": "clicked"}, {"happening": "ordered"}],
                    "window_days": 14,
                    "group_by": "campaign",
                }
            ]
        }
    )  # fmt: skip

    since: date
    until: date

    @model_validator(mode="after")
    def is_span(self) -> "FunnelIn":
        """Refuse what is no span, or too long a one."""
        if not timedelta() <= self.until - self.since < timedelta(days=LONGEST_DAYS):
            message = f"until: a day from since={self.since} on, {LONGEST_DAYS} days at most; ask for a shorter span"
            raise ValueError(message)
        if not _FIRST_YEAR <= self.since.year <= self.until.year <= _LAST_YEAR:
            message = f"since, until: days from {_FIRST_YEAR}-01-01 to {_LAST_YEAR}-12-31"
            raise ValueError(message)
        return self


class FunnelLine(Out):
    """How many people came to a step. People count once, however often they took it.

    `median_seconds` is the middle of the times from when a person last took the step before to when they first took this
    one; null at the first step.
    """

    group: str
    """A campaign's or cell's id, or a channel; empty for what has none, and without groups."""
    group_name: str
    step: int
    happening: Happening
    people: int
    first_rate: Rate | None
    """Of those who took the first step."""
    previous_rate: Rate | None
    """Of those who took the step before."""
    median_seconds: float | None
