"""Which fields of campaigns leave the service."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import orjson

from campaign_svc.campaigns.model import Campaign, Cell, Launch, NewPiece, Offer, Preflight
from campaign_svc.campaigns.routing import CellPlan, Way
from campaign_svc.campaigns.schemas import WhenShort
from kantis_contracts.campaign import (
    AudienceRequest,
    AudienceRequestedV1,
    CampaignLaunchedV1,
    CellCard,
    OfferCard,
    PieceReleasedV1,
    PreflightRequest,
    PreflightRequestedV1,
    ProductBlock,
    TemplateUse,
    TestMessage,
    TestRequestedV1,
)
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.outbox import Encoded

COUNTED_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.PHONE)


TIRED_FROM = 4
"""So many messages of ours within a week are many."""


def preflight_requested(
    campaign: Campaign,
    preflight: Preflight,
    cells: Sequence[CellPlan],
    *,
    has_offer: bool,
    has_products: bool,
) -> PreflightRequestedV1:
    """Ask for the reach in every channel, so that a planner sees what another one would give, and about the templates."""
    used = {way.channel for cell in cells for way in cell.ways}
    return PreflightRequestedV1(
        items=(
            PreflightRequest(
                preflight_id=preflight.id,
                campaign_id=campaign.id,
                segment_id=campaign.segment_id,
                purpose=Purpose(campaign.purpose),
                topic=campaign.topic,
                list_id=campaign.list_id,
                channels=tuple(one for one in Channel if one in COUNTED_CHANNELS or one in used),
                without_segments=tuple(UUID(one) for one in campaign.without_segments),
                without_debtors=campaign.without_debtors,
                tired_from=TIRED_FROM,
                templates=tuple(
                    TemplateUse(
                        cell_id=cell.cell_id,
                        channel=way.channel,
                        template_id=way.template_id,
                        has_offer=has_offer,
                        has_products=has_products,
                    )
                    for cell in cells
                    for way in cell.ways
                ),
            ),
        )
    )


def audience_requested(
    campaign: Campaign, launch: Launch, cells: Sequence[CellPlan]
) -> AudienceRequestedV1:
    """Order the segment to be frozen; with routes where something is to be chosen by them."""
    channels = list(dict.fromkeys(way.channel for cell in cells for way in cell.ways))
    is_choice = len(channels) > 1 or campaign.when_short == WhenShort.BY_VALUE
    return AudienceRequestedV1(
        items=(
            AudienceRequest(
                launch_id=launch.id,
                campaign_id=campaign.id,
                segment_id=campaign.segment_id,
                purpose=Purpose(campaign.purpose),
                channel=channels[0],
                topic=campaign.topic,
                list_id=campaign.list_id,
                channels=tuple(channels) if is_choice else (),
                without_segments=tuple(UUID(one) for one in campaign.without_segments),
                without_debtors=campaign.without_debtors,
            ),
        )
    )


def offer_card(offer: Offer, price_minor: int) -> OfferCard:
    """Return what a piece may say of an offer."""
    return OfferCard(
        offer_id=offer.id,
        product_id=offer.product_id,
        name=offer.name,
        price_minor=price_minor,
        currency=offer.currency,
    )


def campaign_launched(
    campaign: Campaign, launch: Launch, cells: Sequence[Cell], offer: OfferCard | None
) -> CampaignLaunchedV1:
    """Tell of a launch; its cells are the items."""
    return CampaignLaunchedV1(
        campaign_id=campaign.id,
        campaign_name=campaign.name,
        launch_id=launch.id,
        purpose=Purpose(campaign.purpose),
        channel=Channel(campaign.channel),
        currency=campaign.currency,
        offer=offer,
        launched_at=launch.launched_at,
        items=tuple(
            CellCard(
                cell_id=cell.id,
                key_code=cell.key_code,
                name=cell.name,
                share_pct=cell.share_pct,
                template_id=cell.template_id,
                cost_per_piece_minor=cell.cost_per_piece_minor,
            )
            for cell in cells
        ),
    )


def pieces_released(
    campaign: Campaign,
    launch: Launch,
    cell: Cell,
    way: Way,
    *,
    segment_name: str,
    offer: OfferCard | None,
    products: tuple[ProductBlock, ...],
    pieces: Iterable[tuple[Sequence[str], Sequence[NewPiece]]],
) -> Encoded:
    """Let new pieces of one cell be sent by one channel; beside each handful of them is why they were chosen."""
    told = PieceReleasedV1(
        campaign_id=campaign.id,
        campaign_name=campaign.name,
        launch_id=launch.id,
        cell_id=cell.id,
        key_code=cell.key_code,
        cell_name=cell.name,
        segment_id=campaign.segment_id,
        segment_name=segment_name,
        channel=way.channel,
        purpose=Purpose(campaign.purpose),
        topic=campaign.topic,
        list_id=campaign.list_id,
        template_id=way.template_id,
        offer=offer,
        cost_per_piece_minor=way.cost_minor,
        currency=campaign.currency,
        not_after=campaign.not_after,
        priority=campaign.priority,
        expected_response_pct=float(campaign.expected_response_pct),
        items=(),
    )
    blocks = [one.model_dump(mode="json") for one in products]
    items: list[bytes] = []
    for because, mine in pieces:
        rest = orjson.dumps({"because": list(because), "products": blocks}).decode()[1:]
        items += [
            f'{{"piece_id":"{piece_id}","person_id":"{person_id}","response_code":"{code}",{rest}'.encode()
            for piece_id, person_id, code in mine
        ]
    return Encoded(PieceReleasedV1, items, shared=told.model_dump_json(exclude={"items"}).encode())


def product_block(offer: OfferCard) -> ProductBlock:
    """Return an offer as a block of products shows it."""
    return ProductBlock(name=offer.name, price_minor=offer.price_minor, currency=offer.currency)


def test_message(
    test_id: UUID,
    cell: Cell,
    way: Way,
    offer: OfferCard | None,
    *,
    to_email: str,
    language: Language,
    preferred_name: str,
) -> TestMessage:
    """Return a test of a cell's mail to one of our own addresses."""
    return TestMessage(
        test_id=test_id,
        campaign_id=cell.campaign_id,
        cell_id=cell.id,
        template_id=way.template_id,
        to_email=to_email,
        preferred_name=preferred_name,
        language=language,
        offer=offer,
    )


def tests_requested(messages: Sequence[TestMessage]) -> TestRequestedV1:
    """Order tests."""
    return TestRequestedV1(items=tuple(messages))
