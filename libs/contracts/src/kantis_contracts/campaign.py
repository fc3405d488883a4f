"""Facts that campaign-svc publishes: what we want to say to whom."""

from datetime import datetime
from uuid import UUID

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.privacy import DossierPart, ErasureReceipt
from kantis_contracts.values import Channel, Currency, Language, Purpose


class OfferCard(Item):
    """What a piece offers."""

    offer_id: UUID
    product_id: UUID
    name: str
    price_minor: int
    currency: Currency


class PreflightRequest(Item):
    """A question to the register: whom would this reach."""

    preflight_id: UUID
    campaign_id: UUID
    segment_id: UUID
    purpose: Purpose
    topic: str = ""
    list_id: UUID | None = None
    channels: tuple[Channel, ...]


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


class CampaignErasureCompletedV1(Event, type="campaign.campaign_erasure.completed.v1"):
    """Campaign has forgotten persons."""

    items: tuple[ErasureReceipt, ...] = Items


class CampaignDossierAnsweredV1(Event, type="campaign.campaign_dossier.answered.v1"):
    """What campaign holds of persons who asked."""

    items: tuple[DossierPart, ...] = Items
