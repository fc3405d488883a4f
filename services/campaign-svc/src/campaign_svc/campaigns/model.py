"""Campaigns, what they offer, their test cells, and every piece that left for a person."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from campaign_svc.base import Base
from campaign_svc.campaigns.routing import CellPlan, Way
from campaign_svc.campaigns.schemas import PieceState, WhenShort
from kantis_contracts.values import Channel

_MOMENT = DateTime(timezone=True)


class Campaign(Base, table=True):
    """What we want to say to whom; only a draft may be changed. `version` counts changes of its content."""

    id: UUID = Field(primary_key=True)
    name: str
    segment_id: UUID
    purpose: str
    channel: str
    topic: str = ""
    """Key of the topic that it is about; empty when it is about none."""
    list_id: UUID | None = None
    """The list that it speaks to, for those who are suppressed for it."""
    budget_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str
    not_after: datetime | None = Field(default=None, sa_type=_MOMENT)
    expected_response_pct: Decimal = Field(sa_type=Numeric(5, 2))
    priority: int = 50
    """Where a person gets only so many messages, those of the campaign with the higher priority."""
    when_short: str = WhenShort.REFUSE.value
    """What happens when budget or capacity do not suffice for everybody."""
    capacity: int | None = None
    """At most so many pieces."""
    hold_out_pct: int = 0
    """Of the reached, so many get nothing: beside them it shows what the campaign has done."""
    without_segments: list[str] = Field(default_factory=list, sa_type=JSONB)
    """Ids of segments whose members stay out."""
    without_debtors: bool = True
    experiment: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    """The part of the audience on which the cells are compared before the rest gets the winner."""
    state: str
    version: int = 1
    created_at: datetime = Field(sa_type=_MOMENT)
    updated_at: datetime = Field(sa_type=_MOMENT)


class Offer(Base, table=True):
    """What a campaign offers; `own_price_minor` is None when the product's price is asked."""

    id: UUID = Field(primary_key=True)
    campaign_id: UUID
    product_id: UUID
    name: str
    own_price_minor: int | None = Field(default=None, sa_type=BigInteger)
    launched_price_minor: int | None = Field(default=None, sa_type=BigInteger)
    """The price at the launch: what was printed stays, whatever the product costs later."""
    currency: str
    packaging: list[str] = Field(default_factory=list, sa_type=JSONB)
    """Ids of products of which each order takes one besides: a carton, a leaflet."""


class Cell(Base, table=True):
    """A test cell: a share of the audience that gets one template and one offer."""

    id: UUID = Field(primary_key=True)
    campaign_id: UUID
    name: str
    key_code: str
    share_pct: int
    template_id: UUID
    offer_id: UUID | None = None
    cost_per_piece_minor: int = Field(default=0, sa_type=BigInteger)
    routes: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    """Its channels in the order in which they are tried; none: the campaign's, with the template and the cost above."""

    def plan(self, campaign: Campaign, offer: Offer | None = None) -> CellPlan:
        """Return what the cell asks of a launch."""
        ways = tuple(
            Way(Channel(one["channel"]), UUID(one["template_id"]), one["cost_per_piece_minor"])
            for one in self.routes
        ) or (Way(Channel(campaign.channel), self.template_id, self.cost_per_piece_minor),)
        taken = (offer.product_id, *map(UUID, offer.packaging)) if offer else ()
        return CellPlan(self.id, self.share_pct, ways, taken)


class Preflight(Base, table=True):
    """One question to the register about a version of a campaign, and its report."""

    id: UUID = Field(primary_key=True)
    campaign_id: UUID
    campaign_version: int
    state: str
    verdict: str | None = None
    reach: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    """The register's answer, until the senders' is there too."""
    checks: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    """The senders' answer about the templates."""
    report: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    requested_at: datetime = Field(sa_type=_MOMENT)
    counted_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Approval(Base, table=True):
    """Somebody has approved the launch of a version of a campaign."""

    campaign_id: UUID = Field(primary_key=True)
    campaign_version: int = Field(primary_key=True)
    approved_by: str = Field(primary_key=True)
    name: str
    note: str = ""
    approved_at: datetime = Field(sa_type=_MOMENT)


class Launch(Base, table=True):
    """The one launch of a campaign; `total` is unknown until the first part of the audience has come."""

    id: UUID = Field(primary_key=True)
    campaign_id: UUID
    preflight_id: UUID
    state: str
    sign_off: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    segment_name: str = ""
    total: int | None = None
    arrived: int = 0
    released: int = 0
    left_out: int = 0
    settled: int = 0
    """Pieces that have come to an end; those that were left out are among them."""
    is_rationed: bool = False
    """Budget and capacity have been given out."""
    winner_cell_id: UUID | None = None
    decided_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    decision: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    """How the winner was found: by the figures, or by a person."""
    problem: str = ""
    """Why there is nobody to send to: `empty` or `unknown_segment`; empty when there is somebody."""
    launched_at: datetime = Field(sa_type=_MOMENT)
    launched_by: str
    hold: str = ""
    """`paused` or `stopped`; empty while it runs."""
    hold_version: int = Field(default=0, sa_type=BigInteger)
    """Counts people's decisions, so that of two the later one holds where messages are sent."""
    hold_reason: str = ""
    held_by: str = ""
    held_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Piece(Base, table=True):
    """One message to one person with the code that its answer carries, and what became of it."""

    id: UUID = Field(primary_key=True)
    launch_id: UUID
    campaign_id: UUID
    cell_id: UUID
    person_id: UUID
    response_code: str
    because: list[str] = Field(default_factory=list, sa_type=JSONB)
    channel: str = Channel.EMAIL.value
    cost_minor: int = Field(default=0, sa_type=BigInteger)
    worth: int = 0
    """What the person was worth at the launch; the most active and valuable are released first."""
    route: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    """Why it is this channel: `is_wished`, and what was `missed` before it."""
    is_reserve: bool = False
    """Waits for the winner of the experiment."""
    state: str
    reason: str = ""
    released_at: datetime = Field(sa_type=_MOMENT)
    """When it was released; before that, when it was made."""
    settled_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    responded_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    ordered_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    paid_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    merged_id: UUID | None = None
    """The id in the audience, while a merge has the piece stand with another person."""


class NewPiece(NamedTuple):
    """A piece on its way into the table and out: ids as texts, for thousands are made at once and written as text."""

    id: str
    person_id: str
    """The id in the audience."""
    response_code: str


class Outcome(Base, table=True):
    """The ledger of what happened to pieces: one row per piece, kind and source, whatever is delivered twice."""

    piece_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    source_id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_type=_MOMENT)


_RANK = {
    PieceState.WAITING: 0,
    PieceState.RELEASED: 0,
    PieceState.IN_DOUBT: 1,
    PieceState.EXPIRED: 2,
    PieceState.SUPPRESSED: 2,
    PieceState.ACCEPTED: 2,
    PieceState.FAILED: 2,
    PieceState.LEFT_OUT: 2,
}


def standing(state: str, settled_at: datetime | None) -> tuple[int, float, int]:
    """Order what is said of a piece: the greater one holds, whichever comes first.

    Doubt never replaces a certain end; of two ends the later one holds (accepted, then returned); of two at the same
    moment the one further down in `PieceState`.
    """
    known = PieceState(state)
    moment = settled_at.timestamp() if settled_at else 0.0
    return _RANK[known], moment, list(PieceState).index(known)
