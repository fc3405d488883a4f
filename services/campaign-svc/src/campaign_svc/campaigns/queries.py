"""Reads of campaigns."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import case, func, literal_column, select
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.audiences.queries import find_audience
from campaign_svc.campaigns.errors import CampaignUnknown, NotLaunched, PreflightUnknown
from campaign_svc.campaigns.model import Approval, Campaign, Cell, Launch, Offer, Piece, Preflight
from campaign_svc.campaigns.schemas import (
    ApprovalOut,
    CampaignDetail,
    CampaignOut,
    CampaignState,
    CellOut,
    LaunchOut,
    OfferOut,
    PieceOut,
    PieceState,
    PreflightOut,
    ProgressOut,
    WhyOut,
)
from campaign_svc.products.queries import products_by_id
from campaign_svc.settings import CampaignSettings
from kantis_contracts.values import Channel
from kantis_kit.db.aliases import resolve
from kantis_kit.tx import ReadTx


async def get_campaign(tx: ReadTx, campaign_id: UUID) -> Campaign:
    """Return a campaign. Raises `CampaignUnknown`."""
    campaign = await tx.get(Campaign, campaign_id)
    if campaign is None:
        raise CampaignUnknown(f"There is no campaign {campaign_id}")
    return campaign


async def offers_of(tx: ReadTx, campaign_id: UUID) -> Sequence[Offer]:
    """Return a campaign's offers, the oldest first: it is what a cell without its own choice gets."""
    rows = select(Offer).where(col(Offer.campaign_id) == campaign_id).order_by(col(Offer.id))
    return (await tx.scalars(rows)).all()


async def cells_of(tx: ReadTx, campaign_id: UUID) -> Sequence[Cell]:
    """Return a campaign's cells, the oldest first: the order in which the audience is shared out."""
    rows = select(Cell).where(col(Cell.campaign_id) == campaign_id).order_by(col(Cell.id))
    return (await tx.scalars(rows)).all()


def choose_offer(cell: Cell, offers: Sequence[Offer]) -> Offer | None:
    """Return the cell's own offer, else the campaign's first one, else nothing."""
    own = next((offer for offer in offers if offer.id == cell.offer_id), None)
    return own or (offers[0] if offers else None)


async def prices_of(tx: ReadTx, offers: Sequence[Offer]) -> dict[UUID, int]:
    """Return what each offer asks: as launched, its own price, or the product's price of now."""
    products = await products_by_id(tx, [offer.product_id for offer in offers])
    prices = {}
    for offer in offers:
        price = offer.launched_price_minor
        if price is None:
            price = offer.own_price_minor
        if price is None:
            price = products[offer.product_id].price_minor if offer.product_id in products else 0
        prices[offer.id] = price
    return prices


def offer_out(offer: Offer, price_minor: int) -> OfferOut:
    """Return an offer as it is shown."""
    return OfferOut(
        id=offer.id,
        campaign_id=offer.campaign_id,
        product_id=offer.product_id,
        name=offer.name,
        price_minor=price_minor,
        has_own_price=offer.own_price_minor is not None,
        currency=offer.currency,
        packaging=[UUID(one) for one in offer.packaging],
    )


async def find_launch(tx: ReadTx, campaign_id: UUID) -> Launch | None:
    """Return the campaign's launch, if there is one."""
    rows = await tx.scalars(select(Launch).where(col(Launch.campaign_id) == campaign_id))
    return rows.first()


async def get_campaign_detail(tx: ReadTx, campaign_id: UUID) -> CampaignDetail:
    """Return a campaign with its parts. Raises `CampaignUnknown`."""
    campaign = await get_campaign(tx, campaign_id)
    offers = await offers_of(tx, campaign_id)
    prices = await prices_of(tx, offers)
    launch = await find_launch(tx, campaign_id)
    return CampaignDetail(
        **CampaignOut.model_validate(campaign).model_dump(),
        offers=[offer_out(offer, prices[offer.id]) for offer in offers],
        cells=[CellOut.model_validate(cell) for cell in await cells_of(tx, campaign_id)],
        launch=LaunchOut.model_validate(launch) if launch else None,
        audience=await find_audience(tx, campaign.segment_id),
    )


async def list_campaigns(tx: ReadTx, after: UUID | None, limit: int) -> list[CampaignOut]:
    """Return campaigns, the newest first."""
    rows = select(Campaign).order_by(col(Campaign.id).desc()).limit(limit)
    if after is not None:
        rows = rows.where(col(Campaign.id) < after)
    return [CampaignOut.model_validate(row) for row in await tx.scalars(rows)]


async def list_offers(tx: ReadTx, after: UUID | None, limit: int) -> list[OfferOut]:
    """Return the offers of all campaigns, the newest first."""
    rows = select(Offer).order_by(col(Offer.id).desc()).limit(limit)
    if after is not None:
        rows = rows.where(col(Offer.id) < after)
    offers = (await tx.scalars(rows)).all()
    prices = await prices_of(tx, offers)
    return [offer_out(offer, prices[offer.id]) for offer in offers]


async def newest_preflight(tx: ReadTx, campaign_id: UUID) -> Preflight | None:
    """Return the campaign's latest counted pre-flight."""
    rows = (
        select(Preflight)
        .where(col(Preflight.campaign_id) == campaign_id, col(Preflight.state) == "counted")
        .order_by(col(Preflight.id).desc())
        .limit(1)
    )
    return (await tx.scalars(rows)).first()


async def list_approvals(tx: ReadTx, campaign_id: UUID) -> list[ApprovalOut]:
    """Return who has approved which version. Raises `CampaignUnknown`."""
    await get_campaign(tx, campaign_id)
    rows = (
        select(Approval)
        .where(col(Approval.campaign_id) == campaign_id)
        .order_by(col(Approval.approved_at), col(Approval.approved_by))
    )
    return [ApprovalOut.model_validate(row) for row in await tx.scalars(rows)]


def is_stale(tx: ReadTx, preflight: Preflight, campaign_version: int) -> bool:
    """Say whether a report speaks of an older version, or is too old to be believed."""
    age = timedelta(hours=tx.settings(CampaignSettings).preflight_max_age_hours)
    begun = preflight.counted_at or preflight.requested_at
    return preflight.campaign_version != campaign_version or tx.clock.now() - begun > age


async def get_preflight(tx: ReadTx, campaign_id: UUID, preflight_id: UUID) -> PreflightOut:
    """Return a pre-flight and, when it is counted, its report.

    Raises:
        CampaignUnknown: there is no such campaign.
        PreflightUnknown: the campaign has no such pre-flight.
    """
    campaign = await get_campaign(tx, campaign_id)
    preflight = await tx.get(Preflight, preflight_id)
    if preflight is None or preflight.campaign_id != campaign_id:
        raise PreflightUnknown(f"The campaign has no pre-flight {preflight_id}")
    return preflight_out(preflight, stale=is_stale(tx, preflight, campaign.version))


def preflight_out(preflight: Preflight, *, stale: bool) -> PreflightOut:
    """Return a pre-flight as it is shown."""
    return PreflightOut.model_validate(
        {
            **preflight.report,
            "id": preflight.id,
            "campaign_id": preflight.campaign_id,
            "campaign_version": preflight.campaign_version,
            "state": preflight.state,
            "requested_at": preflight.requested_at,
            "counted_at": preflight.counted_at,
            "is_stale": stale,
            "verdict": preflight.verdict,
        }
    )


async def get_progress(tx: ReadTx, campaign_id: UUID) -> ProgressOut:
    """Return how far a campaign has come. Raises `CampaignUnknown`."""
    campaign = await get_campaign(tx, campaign_id)
    launch = await find_launch(tx, campaign_id)
    counted = await tx.execute(
        select(
            col(Piece.state),
            col(Piece.channel),
            case(
                (col(Piece.state) == PieceState.LEFT_OUT.value, col(Piece.reason)), else_=""
            ).label("reason"),
            func.count().label("pieces"),
            func.count(col(Piece.responded_at)).label("responded"),
            func.count(col(Piece.ordered_at)).label("ordered"),
            func.count(col(Piece.paid_at)).label("paid"),
        )
        .where(col(Piece.campaign_id) == campaign_id)
        .group_by(col(Piece.state), col(Piece.channel), literal_column("reason"))
    )
    rows = counted.all()
    by_state, by_channel, left_out = Counter[PieceState](), Counter[Channel](), Counter[str]()
    for row in rows:
        by_state[PieceState(row.state)] += row.pieces
        if row.state == PieceState.LEFT_OUT:
            left_out[row.reason] += row.pieces
        else:
            by_channel[Channel(row.channel)] += row.pieces
    return ProgressOut(
        campaign_id=campaign_id,
        state=CampaignState(campaign.state),
        total=launch.total if launch else None,
        pieces=by_state.total(),
        by_state={state: by_state[state] for state in PieceState},
        by_channel=by_channel,
        left_out=left_out,
        responded=sum(row.responded for row in rows),
        ordered=sum(row.ordered for row in rows),
        paid=sum(row.paid for row in rows),
    )


async def list_pieces(
    tx: ReadTx,
    campaign_id: UUID,
    *,
    state: PieceState | None,
    person_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[PieceOut]:
    """Return a campaign's pieces in the order of their release. Raises `CampaignUnknown`."""
    await get_campaign(tx, campaign_id)
    rows = select(Piece).where(col(Piece.campaign_id) == campaign_id)
    if state is not None:
        rows = rows.where(col(Piece.state) == state.value)
    if person_id is not None:
        leads = await resolve(tx, person_alias, [person_id])
        rows = rows.where(col(Piece.person_id) == leads.get(person_id, person_id))
    if after is not None:
        rows = rows.where(col(Piece.id) > after)
    found = await tx.scalars(rows.order_by(col(Piece.id)).limit(limit))
    return [PieceOut.model_validate(row) for row in found]


async def get_why(tx: ReadTx, campaign_id: UUID, person_id: UUID) -> WhyOut:
    """Return why a person got a piece of a campaign.

    Raises:
        CampaignUnknown: there is no such campaign.
        NotLaunched: the person is not in its frozen audience.
    """
    campaign = await get_campaign(tx, campaign_id)
    person_id = (await resolve(tx, person_alias, [person_id])).get(person_id, person_id)
    found = await tx.execute(
        select(Piece, Cell, Launch)
        .join(Cell, col(Cell.id) == col(Piece.cell_id))
        .join(Launch, col(Launch.id) == col(Piece.launch_id))
        .where(col(Piece.campaign_id) == campaign_id, col(Piece.person_id) == person_id)
        # Of two records of one person, the piece of the known one.
        .order_by(col(Piece.merged_id).nulls_first(), col(Piece.id))
        .limit(1)
    )
    row = found.first()
    if row is None:
        raise NotLaunched("The person is not in this campaign's audience")
    piece, cell, launch = row.Piece, row.Cell, row.Launch
    return WhyOut(
        campaign_id=campaign_id,
        campaign_name=campaign.name,
        person_id=person_id,
        segment_id=campaign.segment_id,
        segment_name=launch.segment_name,
        because=piece.because,
        cell_id=cell.id,
        cell_name=cell.name,
        key_code=cell.key_code,
        response_code=piece.response_code,
        channel=piece.channel,
        is_wished=piece.route.get("is_wished", False),
        missed=piece.route.get("missed", {}),
        worth=piece.worth,
        piece_id=piece.id,
        state=piece.state,
        reason=piece.reason,
    )
