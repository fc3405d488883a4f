"""What the report of a customer looks like. Amounts are minor units of the currency beside them, VAT included."""

from datetime import date
from uuid import UUID

from analytics_svc.campaigns.schemas import Rate
from analytics_svc.worth.schemas import Worth
from kantis_kit.web.schemas import Out


class Contacts(Out):
    """What was sent to a person in a channel, by campaigns, rules and programmes, and what came of it.

    `answered` counts answers to campaigns of the channel; `answer_rate` is of what was delivered.
    """

    channel: str
    planned: int = 0
    sent: int = 0
    delivered: int = 0
    came_back: int = 0
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    answered: int = 0
    ordered: int = 0
    cost_minor: dict[str, int] = {}
    """By currency."""
    answer_rate: Rate | None = None


class Answer(Out):
    """What a person answered to and bought because of it; `campaign_id` is null for what no campaign brought."""

    campaign_id: UUID | None
    name: str
    channel: str
    offer_name: str
    responded: int
    ordered: int
    revenue_minor: dict[str, int]
    """By currency, as is `paid_minor`."""
    paid_minor: dict[str, int]
    last_on: date


class Purchases(Out):
    """What a person bought, paid and sent back in a currency, and what that leaves.

    `profit_minor` is `paid_minor`, what orders that are paid in full came to less what was credited of them, less
    `cost_minor`, what the contacts cost; the cost of the goods is not taken off.
    """

    currency: str
    ordered: int = 0
    revenue_minor: int = 0
    paid: int = 0
    paid_minor: int = 0
    received_minor: int = 0
    returned: int = 0
    returned_minor: int = 0
    cost_minor: int = 0
    profit_minor: int = 0
    first_on: date | None = None
    last_on: date | None = None
    buying_days: int = 0


class Payments(Out):
    """How a person pays. `days_to_pay` is the mean from the issue of an invoice to the payment that settles it."""

    invoiced: int = 0
    settled: int = 0
    settled_late: int = 0
    reminders: int = 0
    days_to_pay: float | None = None


class RfmPoint(Out):
    """Where a person stood at the end of a month, by the twelve months before it, in one currency.

    `recency_days` since the last order of all; `frequency` orders that came to `monetary_minor`.
    """

    month: date
    currency: str
    recency_days: int
    frequency: int
    monetary_minor: int


class CustomerReport(Out):
    """What there is to know of one customer, from the first contact on."""

    person_id: UUID
    """Who is meant now, should the id asked for have become part of another."""
    contacts: list[Contacts]
    answers: list[Answer]
    """The latest first."""
    purchases: list[Purchases]
    payments: Payments
    rfm: list[RfmPoint]
    """The last 24 months, the latest first; none before the first order."""
    worth: list[Worth]
    """What is expected of the next 52 weeks; empty before the first order, and until models were fitted."""


class Line(Out):
    """A line of the report as a table."""

    section: str
    what: str
    measure: str
    currency: str
    value: int
