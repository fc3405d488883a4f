"""Which fields of campaigns leave the service."""

from collections.abc import Sequence
from uuid import UUID

from campaign_svc.campaigns.model import Campaign, Cell, Launch, NewPiece, Offer, Preflight
from kantis_contracts.campaign import (
    AudienceRequest,
    AudienceRequestedV1,
    CampaignLaunchedV1,
    CellCard,
    OfferCard,
    Piece,
    PieceReleasedV1,
    PreflightRequest,
    PreflightRequestedV1,
    TestMessage,
    TestRequestedV1,
)
from kantis_contracts.values import Channel, Language, Purpose

COUNTED_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.PHONE)


def preflight_requested(campaign: Campaign, preflight: Preflight) -> PreflightRequestedV1:
    """Ask for the reach in every channel, so that a planner sees what another one would give."""
    return PreflightRequestedV1(
        items=(
            PreflightRequest(
                preflight_id=preflight.id,
                campaign_id=campaign.id,
                segment_id=campaign.segment_id,
                purpose=Purpose(campaign.purpose),
                topic=campaign.topic,
                list_id=campaign.list_id,
                channels=COUNTED_CHANNELS,
            ),
        )
    )


def audience_requested(campaign: Campaign, launch: Launch) -> AudienceRequestedV1:
    """Order the segment to be frozen."""
    return AudienceRequestedV1(
        items=(
            AudienceRequest(
                launch_id=launch.id,
                campaign_id=campaign.id,
                segment_id=campaign.segment_id,
                purpose=Purpose(campaign.purpose),
                channel=Channel(campaign.channel),
                topic=campaign.topic,
                list_id=campaign.list_id,
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
    *,
    segment_name: str,
    offer: OfferCard | None,
    pieces: Sequence[NewPiece],
) -> PieceReleasedV1:
    """Let new pieces of one cell be sent."""
    return PieceReleasedV1(
        campaign_id=campaign.id,
        campaign_name=campaign.name,
        launch_id=launch.id,
        cell_id=cell.id,
        key_code=cell.key_code,
        cell_name=cell.name,
        segment_id=campaign.segment_id,
        segment_name=segment_name,
        channel=Channel(campaign.channel),
        purpose=Purpose(campaign.purpose),
        topic=campaign.topic,
        list_id=campaign.list_id,
        template_id=cell.template_id,
        offer=offer,
        cost_per_piece_minor=cell.cost_per_piece_minor,
        currency=campaign.currency,
        not_after=campaign.not_after,
        priority=campaign.priority,
        items=tuple(
            Piece(
                piece_id=piece.id,
                person_id=piece.person_id,
                response_code=piece.response_code,
                because=tuple(piece.because),
            )
            for piece in pieces
        ),
    )


def test_requested(
    *,
    test_id: UUID,
    campaign: Campaign,
    cell: Cell,
    offer: OfferCard | None,
    to_email: str,
    language: Language,
    preferred_name: str,
) -> TestRequestedV1:
    """Order a test of a cell's message."""
    return TestRequestedV1(
        items=(
            TestMessage(
                test_id=test_id,
                campaign_id=campaign.id,
                cell_id=cell.id,
                template_id=cell.template_id,
                to_email=to_email,
                preferred_name=preferred_name,
                language=language,
                offer=offer,
            ),
        )
    )
