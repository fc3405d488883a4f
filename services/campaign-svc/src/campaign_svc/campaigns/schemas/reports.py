"""What is shown of campaigns, pre-flights, launches and pieces, and the orders to begin them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, StringConstraints

from campaign_svc.audiences.schemas import AudienceOut
from campaign_svc.campaigns.schemas.plan import CellOut, OfferOut
from campaign_svc.campaigns.schemas.words import (
    CampaignState,
    Email,
    Level,
    Name,
    PieceState,
    WhenShort,
)
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.web.schemas import In, Out


class CampaignOut(Out):
    """A campaign without its parts."""

    id: UUID
    name: str
    segment_id: UUID
    purpose: Purpose
    channel: Channel
    topic: str
    list_id: UUID | None
    budget_minor: int | None
    currency: str
    not_after: datetime | None
    expected_response_pct: float
    priority: int
    when_short: WhenShort
    capacity: int | None
    hold_out_pct: int
    without_segments: list[UUID]
    without_debtors: bool
    experiment: dict[str, Any] | None
    state: CampaignState
    version: int
    created_at: datetime
    updated_at: datetime


class CampaignDetail(CampaignOut):
    """A campaign with what it offers and its cells."""

    offers: list[OfferOut]
    cells: list[CellOut]
    launch: "LaunchOut | None" = None
    audience: AudienceOut | None = None
    """How large its segment is now, when the segment announces its changes."""


class Finding(Out):
    """One thing that a pre-flight noticed."""

    code: str
    level: Level
    text: str
    count: int = 0
    field: str = ""
    """The field of a template that nobody has, where that is what was noticed."""


class Reach(Out):
    """Whom a channel reaches, and how many it does not reach for which reason."""

    channel: Channel
    reachable: int
    excluded: dict[str, int]


class ExclusionOut(Out):
    """Members whom the campaign leaves out: of a segment, or debtors."""

    reason: str
    segment_id: UUID | None
    people: int


class WashOut(Out):
    """A reservation register of the channels, and when it was washed last."""

    register_key: str
    country: str
    channels: list[Channel]
    washed_on: date | None
    is_recent: bool


class PreflightOut(Out):
    """A pre-flight; `verdict` and what follows are there when `state` is `counted`."""

    id: UUID
    campaign_id: UUID
    campaign_version: int
    state: Literal["counting", "counted"]
    requested_at: datetime
    counted_at: datetime | None
    is_stale: bool
    verdict: Level | None
    segment_name: str = ""
    members: int = 0
    missing_preferred_name: int = 0
    doubtful_names: int = 0
    likely_duplicates: int = 0
    mean_quality_score: int | None = None
    low_quality_scores: int = 0
    tired: int = 0
    debtors: int = 0
    languages: dict[str, int] = {}
    washes: list[WashOut] = []
    exclusions: list[ExclusionOut] = []
    reach: list[Reach] = []
    pieces: int = 0
    by_channel: dict[Channel, int] = {}
    left_out: dict[str, int] = {}
    """Who would get nothing, by reason: no_channel, hold_out, capacity, budget."""
    needs_approval: bool = False
    cost_minor: int = 0
    budget_minor: int | None = None
    expected_responses: int = 0
    findings: list[Finding] = []


class TestSendIn(In):
    """Where to send a test to, and of which cell; without a cell, of the first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"to_email": "marked@example.com", "language": "nb"}]}
    )

    to_email: Email
    cell: UUID | None = None
    language: Language = Language.EN
    preferred_name: Annotated[str, StringConstraints(max_length=100)] = ""


class TestSendOut(Out):
    """A test on its way."""

    id: UUID
    cell_id: UUID
    to_email: str


class SignOff(In):
    """Who answers for launching although the pre-flight is yellow, and why."""

    name: Name
    reason: Annotated[str, StringConstraints(min_length=3, max_length=1000)]


class ApprovalIn(In):
    """Who approves the launch of this version."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Ola Nes", "note": "Seen with the budget"}]}
    )

    name: Name
    note: Annotated[str, StringConstraints(max_length=1000)] = ""


class ApprovalOut(Out):
    """An approval; it counts for this version, and for a launch by somebody else."""

    campaign_id: UUID
    campaign_version: int
    approved_by: str
    name: str
    note: str
    approved_at: datetime


class LaunchIn(In):
    """The order to launch; a yellow pre-flight asks for a signature."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"sign_off": {"name": "Kari Berg", "reason": "The few duplicates are known to us"}}
            ]
        }
    )

    sign_off: SignOff | None = None


class LaunchOut(Out):
    """The launch of a campaign; `problem` is `empty` or `unknown_segment` when there was nobody to send to."""

    id: UUID
    campaign_id: UUID
    preflight_id: UUID
    state: CampaignState
    sign_off: dict[str, Any] | None
    total: int | None
    arrived: int
    released: int
    left_out: int
    settled: int
    winner_cell_id: UUID | None
    decided_at: datetime | None
    decision: dict[str, Any] | None
    problem: str
    launched_at: datetime
    launched_by: str
    hold: str
    """`paused` or `stopped`; empty while it runs."""
    hold_reason: str
    held_by: str
    held_at: datetime | None


class ProgressOut(Out):
    """How far a launched campaign has come."""

    campaign_id: UUID
    state: CampaignState
    total: int | None
    pieces: int
    by_state: dict[PieceState, int]
    by_channel: dict[Channel, int]
    """Pieces that were released, or wait to be."""
    left_out: dict[str, int]
    """Who of the audience gets nothing, by reason: no_channel, hold_out, capacity, budget, launch_stopped."""
    responded: int
    ordered: int
    paid: int


class PieceOut(Out):
    """A piece and what became of it."""

    id: UUID
    campaign_id: UUID
    launch_id: UUID
    cell_id: UUID
    person_id: UUID
    response_code: str
    channel: Channel
    cost_minor: int
    worth: int
    state: PieceState
    reason: str
    released_at: datetime
    settled_at: datetime | None
    responded_at: datetime | None
    ordered_at: datetime | None
    paid_at: datetime | None


class WhyOut(Out):
    """Why a person is in a campaign."""

    campaign_id: UUID
    campaign_name: str
    person_id: UUID
    segment_id: UUID
    segment_name: str
    because: list[str]
    cell_id: UUID
    cell_name: str
    key_code: str
    response_code: str
    channel: Channel
    is_wished: bool
    """The channel is the person's own choice; else it is the first of the cell's that reaches them."""
    missed: dict[str, str]
    """Channels that would have come first, each with the reason against it."""
    worth: int
    piece_id: UUID
    state: PieceState
    reason: str
