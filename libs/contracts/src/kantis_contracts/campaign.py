"""Facts that campaign-svc publishes: what we want to say to whom."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.privacy import DossierPart, ErasureReceipt
from kantis_contracts.values import Channel, Currency, Language, MessageClass, Purpose


class OfferCard(Item):
    """What a piece offers."""

    offer_id: UUID
    product_id: UUID
    name: str
    price_minor: int
    currency: Currency


class TemplateUse(Item):
    """A template that a cell writes with in a channel, and what the pieces will bring it."""

    cell_id: UUID
    channel: Channel
    template_id: UUID
    has_offer: bool = False
    has_products: bool = False


class PreflightRequest(Item):
    """A question to the register and to the senders: whom would this reach, and with what words."""

    preflight_id: UUID
    campaign_id: UUID
    segment_id: UUID
    purpose: Purpose
    topic: str = ""
    list_id: UUID | None = None
    channels: tuple[Channel, ...]
    without_segments: tuple[UUID, ...] = ()
    """Who is in one of these stays out of the audience."""
    without_debtors: bool = False
    """Whoever is reminded of an invoice stays out of the audience."""
    tired_from: int = 0
    """So many messages of the last seven days make a member tired; 0 asks for none."""
    templates: tuple[TemplateUse, ...] = ()


class PreflightRequestedV1(Event, type="campaign.preflight.requested.v1"):
    """Pre-flights of campaigns have begun."""

    items: tuple[PreflightRequest, ...] = Items


class AudienceRequest(Item):
    """An order to freeze a segment for a launch."""

    launch_id: UUID
    campaign_id: UUID
    segment_id: UUID
    purpose: Purpose
    channel: Channel
    topic: str = ""
    """Who refused this topic, or is suppressed for it, stays out of the audience."""
    list_id: UUID | None = None
    """Who is suppressed for this list stays out of the audience."""
    channels: tuple[Channel, ...] = ()
    """Where several channels may be used: whoever one of them reaches is in the audience, with their routes. Else
    `channel` alone counts, and no routes are told."""
    without_segments: tuple[UUID, ...] = ()
    without_debtors: bool = False


class AudienceRequestedV1(Event, type="campaign.audience.requested.v1"):
    """Campaigns have been launched and wait for their audience."""

    items: tuple[AudienceRequest, ...] = Items


class CellCard(Item):
    """A test cell of a campaign."""

    cell_id: UUID
    key_code: str
    name: str
    share_pct: int
    template_id: UUID
    cost_per_piece_minor: int = 0


class CampaignLaunchedV1(Event, type="campaign.campaign.launched.v1"):
    """A campaign has been launched; its cells are the items."""

    campaign_id: UUID
    campaign_name: str
    launch_id: UUID
    purpose: Purpose
    channel: Channel
    currency: Currency
    offer: OfferCard | None = None
    launched_at: datetime
    items: tuple[CellCard, ...] = Items


class ProductBlock(Item):
    """A product as a message shows it; addresses begin with https://."""

    name: str
    text: str = ""
    price_minor: int | None = None
    currency: Currency = "NOK"
    url: str = ""
    image_url: str = ""


class Piece(Item):
    """One message to one person, with the code that its answer carries."""

    piece_id: UUID
    person_id: UUID
    response_code: str
    because: tuple[str, ...] = ()
    products: tuple[ProductBlock, ...] = ()
    """What the message shows; its template says where. Without any, it shows none."""
    recommendations: tuple[ProductBlock, ...] = ()
    """What is recommended to this person."""


class PieceReleasedV1(Event, type="campaign.piece.released.v1"):
    """Pieces of one cell may be sent; all that sending, answering and counting need is here."""

    campaign_id: UUID
    campaign_name: str
    launch_id: UUID
    cell_id: UUID
    key_code: str
    cell_name: str = ""
    segment_id: UUID
    segment_name: str = ""
    channel: Channel
    purpose: Purpose
    topic: str = ""
    """Key of the topic that the message is about, when it is about one: who refused it is left out."""
    list_id: UUID | None = None
    """The list whose members it goes to, when it does: who is suppressed for it is left out."""
    template_id: UUID
    offer: OfferCard | None = None
    cost_per_piece_minor: int = 0
    currency: Currency = "NOK"
    not_after: datetime | None = None
    priority: int = 50
    """Of two messages where a cap lets only one be, the higher one is told."""
    expected_response_pct: float | None = Field(default=None, ge=0, le=100)
    """How many of the pieces the campaign thinks will be answered."""
    items: tuple[Piece, ...] = Items


class LaunchHold(Item):
    """What a person decided on a launch that has begun. Of two decisions the one with the higher version holds."""

    launch_id: UUID
    campaign_id: UUID
    version: int
    reason: str = ""
    decided_at: datetime


class LaunchPausedV1(Event, type="campaign.launch.paused.v1"):
    """Launches wait: nothing of them is handed over until they are resumed."""

    items: tuple[LaunchHold, ...] = Items


class LaunchResumedV1(Event, type="campaign.launch.resumed.v1"):
    """Launches go on, also those that a spike had paused."""

    items: tuple[LaunchHold, ...] = Items


class LaunchStoppedV1(Event, type="campaign.launch.stopped.v1"):
    """Launches have ended for good: what is not handed over will not be."""

    items: tuple[LaunchHold, ...] = Items


class StepAsker(Item):
    """What wants the message: `kind` is rule, programme, milestone, coupon or care."""

    kind: str
    id: UUID
    name: str
    version: int
    step: str = ""
    """The step of a programme; empty where there is only one."""


class Step(Item):
    """One message to one person because something has become true of them."""

    step_id: UUID
    """The same however often the step is asked for: with person and channel it is the key of the message."""
    person_id: UUID
    because: tuple[str, ...] = ()
    """The clauses that were true, in words."""
    facts: dict[str, str] = Field(default_factory=dict)
    """What was known when they became true."""
    products: tuple[ProductBlock, ...] = ()
    recommendations: tuple[ProductBlock, ...] = ()


class StepRequestedV1(Event, type="campaign.step.requested.v1"):
    """Rules and programmes want something said to people, in one channel; the gate decides as about every message."""

    asker: StepAsker
    channel: Channel
    purpose: Purpose
    message_class: MessageClass = MessageClass.MARKETING
    class_reason: str = ""
    """Of a message that needs no permission: why it has to be told."""
    topic: str = ""
    list_id: UUID | None = None
    template_id: UUID
    offer: OfferCard | None = None
    cost_per_piece_minor: int = 0
    currency: Currency = "NOK"
    not_after: datetime | None = None
    priority: int = 50
    items: tuple[Step, ...] = Items


class RuleCard(Item):
    """A rule, and the condition on which it acts. Of two cards of one rule the higher version holds."""

    rule_id: UUID
    version: int
    name: str
    segment_id: UUID
    condition: dict[str, Any] | None = Field(
        default=None, examples=[{"op": "country", "is_in": ["NO"]}]
    )
    """In the language of the register's segments; without one the segment is there already."""
    tells_present: bool = False
    """Those of whom it is true already enter, too, when it is built."""
    follows_members: bool = False
    """Who is in it is asked for, not who comes in: its segment announces every change as any other segment does."""
    is_active: bool = True


class RuleChangedV1(Event, type="campaign.rule.changed.v1"):
    """Rules were made, changed or ended; the register keeps a live segment for each and tells who enters, and why."""

    items: tuple[RuleCard, ...] = Items


class Rehearsal(Item):
    """A question to the register: of whom would this have become true, and when."""

    rehearsal_id: UUID
    rule_id: UUID
    segment_id: UUID
    since: datetime
    until: datetime


class RehearsalRequestedV1(Event, type="campaign.rehearsal.requested.v1"):
    """Somebody wants to know what rules would have done."""

    items: tuple[Rehearsal, ...] = Items


class Listing(Item):
    """A person who comes on a list."""

    person_id: UUID
    step_id: UUID


class ListingRequestedV1(Event, type="campaign.listing.requested.v1"):
    """Rules and programmes want people on a list of the register's, so that conditions can ask for it."""

    segment_id: UUID
    asker: StepAsker
    items: tuple[Listing, ...] = Items


class TestMessage(Item):
    """A test of a cell's message to one of our own addresses."""

    test_id: UUID
    campaign_id: UUID
    cell_id: UUID
    template_id: UUID
    to_email: str
    preferred_name: str = ""
    language: Language = Language.EN
    offer: OfferCard | None = None


class TestRequestedV1(Event, type="campaign.test.requested.v1"):
    """Somebody wants to see a campaign's message before it is launched."""

    items: tuple[TestMessage, ...] = Items


class SurveyAnswered(Item):
    """What a person answered to a survey."""

    answer_id: UUID
    survey_id: UUID
    survey_name: str
    person_id: UUID
    way: str
    """`link` (the person's own page) or `api` (somebody has entered it for them)."""
    scores: dict[str, int] = Field(default_factory=dict)
    """Scores by question."""
    terms: tuple[str, ...] = ()
    """Words of the vocabulary that the answers stand for."""
    text: str = ""
    answered_at: datetime


class SurveyAnsweredV1(Event, type="campaign.survey.answered.v1"):
    """People have answered surveys."""

    items: tuple[SurveyAnswered, ...] = Items


class MemberChanged(Item):
    """Somebody joined the club, or left it; a membership, which is no consent to anything."""

    number: str
    person_id: UUID
    is_member: bool
    terms_version: int
    place: str = ""
    changed_at: datetime


class MemberChangedV1(Event, type="campaign.member.changed.v1"):
    """People have joined the club, or left it."""

    items: tuple[MemberChanged, ...] = Items


class CampaignErasureCompletedV1(Event, type="campaign.campaign_erasure.completed.v1"):
    """Campaign has forgotten persons."""

    items: tuple[ErasureReceipt, ...] = Items


class CampaignDossierAnsweredV1(Event, type="campaign.campaign_dossier.answered.v1"):
    """What campaign holds of persons who asked."""

    items: tuple[DossierPart, ...] = Items
