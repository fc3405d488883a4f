"""What the reports of the whole house look like: lines, the same in JSON and CSV.

Amounts are minor units of the currency beside them, VAT included; months are their first days, days are UTC.
"""

from datetime import date
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from analytics_svc.campaigns.schemas import Rate
from kantis_kit.web.schemas import Out

LineT = TypeVar("LineT", bound=Out)


class Lines(BaseModel, Generic[LineT]):
    """A report: its lines."""

    items: list[LineT]


class CohortMonth(Out):
    """What those who first bought in a month (`cohort`) did so many months later.

    `retention_rate` is the share of the cohort that ordered in the month. Who buys in two currencies is a buyer in each.
    """

    currency: str
    cohort: date
    month: date
    months_since: int
    size: int
    buyers: int
    orders: int
    revenue_minor: int
    paid_minor: int
    returned_minor: int
    retention_rate: Rate | None


class RepeatPurchase(Out):
    """How many of a cohort ordered `nth` times or more, and the share of those who had come one order less far."""

    currency: str
    cohort: date
    nth: int
    buyers: int
    repeat_rate: Rate | None


class ListMonth(Out):
    """How a list (a purpose in a channel) grew in a month; `people` were on it at the end of the month, or of the span."""

    month: date
    channel: str
    purpose: str
    joined: int
    left: int
    people: int


class LeadMonth(Out):
    """How many leads a form brought in a month."""

    month: date
    form_key: str
    leads: int


class Satisfaction(Out):
    """What was scored in a month, by question of a survey.

    `nps` is the share of 9 and 10 less that of 0 to 6, in per cent, where somebody gave a score of the scale from 0 to 10
    that the scale from 1 to 5 does not have; null elsewhere.
    """

    month: date
    survey_id: UUID
    survey_name: str
    question: str
    answers: int
    mean: float
    nps: float | None


class ServiceLevel(Out):
    """How many answers of a month waited for a next step, and how many of them had it within two working days.

    An answer that is not due yet counts as in time until it is late.
    """

    month: date
    kind: str
    promised: int
    missed: int
    in_time_rate: Rate | None


class ReturnedPost(Out):
    """What the post brought back in a month, by kind and reason."""

    month: date
    kind: str
    reason: str
    pieces: int


class LostPost(Out):
    """What the pieces had cost, which came back and are known, by the month in which they became known."""

    month: date
    channel: str
    currency: str
    lost_minor: int
