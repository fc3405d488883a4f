"""What reports look like."""

from datetime import date, datetime
from uuid import UUID

from kantis_kit.web.schemas import Out


class Rate(Out):
    """A rate with its 95 % Wilson interval, and the two numbers that it is made of."""

    hits: int
    tries: int
    value: float
    low: float
    high: float


class Numbers(Out):
    """What a cell, or a whole campaign, came to. Amounts are minor units of the campaign's currency, VAT included.

    `returned` are goods that came back, `returned_minor` what was credited for them; `came_back` are pieces that the post
    brought back, `lost_minor` what these had cost.
    `sent` was handed over to the carrier, `delivered` is what of it did not come back. `profit_minor` is
    `paid_minor` less `cost_minor`: what orders that are paid in full came to, VAT included, less what the pieces cost;
    the cost of the goods is not taken off.
    """

    planned: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    suppressed: int = 0
    expired: int = 0
    in_doubt: int = 0
    opened: int = 0
    opened_persons: int = 0
    clicked: int = 0
    clicked_persons: int = 0
    clicked_machine: int = 0
    unsubscribed: int = 0
    responded: int = 0
    responded_persons: int = 0
    ordered: int = 0
    revenue_minor: int = 0
    paid: int = 0
    paid_minor: int = 0
    received_minor: int = 0
    returned: int = 0
    returned_minor: int = 0
    came_back: int = 0
    lost_minor: int = 0
    cost_minor: int = 0
    profit_minor: int = 0
    response_rate: Rate | None = None
    click_rate: Rate | None = None
    answers: dict[str, dict[str, int]] = {}
    """What `responded` is made of: how many answers of each kind (order, inquiry …) came in by each way (web, keyed …)."""


class CellReport(Numbers):
    """What a test cell came to; `cell_id` is null for what belongs to no cell."""

    cell_id: UUID | None
    name: str
    key_code: str


class DayReport(Out):
    """What happened on a day (UTC)."""

    day: date
    sent: int = 0
    clicked: int = 0
    responded: int = 0
    ordered: int = 0
    paid: int = 0


class CampaignSummary(Numbers):
    """What a campaign came to."""

    campaign_id: UUID
    name: str
    channel: str
    currency: str
    offer_name: str
    launched_at: datetime | None


class CampaignReport(Out):
    """A campaign's report: its cells, its days, and the whole."""

    campaign_id: UUID
    name: str
    channel: str
    currency: str
    offer_name: str
    launched_at: datetime | None
    cells: list[CellReport]
    days: list[DayReport]
    total: Numbers
    other_currencies: dict[str, dict[str, int]] = {}
    """Amounts in currencies other than the campaign's, by currency and measure; not part of the sums."""


class LeadsReport(Out):
    """How many leads a form brought on a day (UTC)."""

    form_key: str
    day: date
    leads: int


class LinkOut(Out):
    """A link that opens a report's page without a key."""

    path: str
    expires_at: datetime


class RebuildOut(Out):
    """How many numbers of the roll-ups had to be mended."""

    mended: int
