"""What comes in and goes out of the campaigns' API."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from campaign_svc.audiences.schemas import AudienceOut
from kantis_contracts.values import Channel, Currency, Language, Purpose
from kantis_kit.web.schemas import In, Instant, Out

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Minor = Annotated[int, Field(ge=0, le=10**15)]
Percent = Annotated[int, Field(ge=1, le=100)]
ResponsePercent = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]
Priority = Annotated[
    int,
    Field(
        ge=0, le=100, description="Where a cap lets a person get only one, the higher one is told"
    ),
]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]
TopicKey = Annotated[
    str,
    Field(
        max_length=60,
        pattern=r"^[a-z0-9_-]*$",
        description="Key of the topic that the messages are about; who refused it gets none",
    ),
]
ListId = Annotated[
    UUID | None,
    Field(description="The list that is spoken to; who is suppressed for it gets nothing"),
]
KeyCode = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{1,11}$", to_upper=True)
]


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    LAUNCHING = "launching"
    RUNNING = "running"
    FINISHED = "finished"


class PieceState(StrEnum):
    """What became of a piece."""

    RELEASED = "released"
    IN_DOUBT = "in_doubt"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    ACCEPTED = "accepted"
    FAILED = "failed"


class Level(StrEnum):
    """How much a finding weighs: red blocks, yellow needs a signature, green is for information."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class CampaignIn(In):
    """A campaign to plan."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Autumn boots",
                    "segment_id": "0198f000-0000-7000-8000-000000000001",
                    "purpose": "offers",
                    "currency": "NOK",
                    "budget_minor": 2000000,
                    "expected_response_pct": 2,
                }
            ]
        }
    )

    name: Name
    segment_id: UUID
    purpose: Purpose = Purpose.OFFERS
    channel: Literal[Channel.EMAIL] = Channel.EMAIL
    topic: TopicKey = ""
    list_id: ListId = None
    budget_minor: Minor | None = None
    currency: Currency
    not_after: Instant | None = None
    expected_response_pct: ResponsePercent = Decimal(2)
    priority: Priority = 50


class CampaignPatch(In):
    """What is to change; a field that is not sent stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Winter boots", "budget_minor": 2500000}]}
    )

    name: Name | None = None
    segment_id: UUID | None = None
    purpose: Purpose | None = None
    channel: Literal[Channel.EMAIL] | None = None
    topic: TopicKey | None = None
    list_id: ListId = None
    budget_minor: Minor | None = None
    currency: Currency | None = None
    not_after: Instant | None = None
    expected_response_pct: ResponsePercent | None = None
    priority: Priority | None = None

    @model_validator(mode="after")
    def refuse_emptying(self) -> "CampaignPatch":
        """Only what is optional may be set to null."""
        for name in self.model_fields_set - {"budget_minor", "list_id", "not_after"}:
            if getattr(self, name) is None:
                message = f"{name} cannot be null; leave it out to keep it"
                raise ValueError(message)
        return self


class OfferIn(In):
    """A product to offer; without a price of its own it asks the product's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"product_id": "0198f000-0000-7000-8000-000000000002", "price_minor": 119900}
            ]
        }
    )

    product_id: UUID
    name: Name | None = None
    price_minor: Minor | None = None


class OfferOut(Out):
    """An offer; `price_minor` is the price that would be, or was, printed."""

    id: UUID
    campaign_id: UUID
    product_id: UUID
    name: str
    price_minor: int
    has_own_price: bool
    currency: str


class CellIn(In):
    """A test cell to add; without a key code one is made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Full price",
                    "key_code": "AUT-A",
                    "share_pct": 50,
                    "template_id": "0198f000-0000-7000-8000-000000000003",
                    "cost_per_piece_minor": 15,
                }
            ]
        }
    )

    name: Name
    key_code: KeyCode | None = None
    share_pct: Percent
    template_id: UUID
    offer_id: UUID | None = None
    cost_per_piece_minor: Minor = 0


class CellPatch(In):
    """What is to change of a cell; a field that is not sent stays."""

    name: Name | None = None
    share_pct: Percent | None = None
    template_id: UUID | None = None
    offer_id: UUID | None = None
    cost_per_piece_minor: Minor | None = None

    @model_validator(mode="after")
    def refuse_emptying(self) -> "CellPatch":
        """Only the offer may be set to null."""
        for name in self.model_fields_set - {"offer_id"}:
            if getattr(self, name) is None:
                message = f"{name} cannot be null; leave it out to keep it"
                raise ValueError(message)
        return self


class CellOut(Out):
    """A test cell."""

    id: UUID
    campaign_id: UUID
    name: str
    key_code: str
    share_pct: int
    template_id: UUID
    offer_id: UUID | None
    cost_per_piece_minor: int


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


class Reach(Out):
    """Whom a channel reaches, and how many it does not reach for which reason."""

    channel: Channel
    reachable: int
    excluded: dict[str, int]


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
    likely_duplicates: int = 0
    reach: list[Reach] = []
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
    settled: int
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
    piece_id: UUID
    state: PieceState
