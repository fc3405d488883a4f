"""Ask before the launch what it would do, and show it to oneself."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.campaigns import events, queries
from campaign_svc.campaigns.errors import CellUnknown
from campaign_svc.campaigns.judgement import CellPlan, Limits, Plan, Stock, judge
from campaign_svc.campaigns.model import Campaign, Cell, Offer, Preflight
from campaign_svc.campaigns.schemas import Reach, TestSendIn, TestSendOut
from campaign_svc.products.queries import products_by_id
from campaign_svc.settings import CampaignSettings
from kantis_contracts.campaign import OfferCard
from kantis_contracts.contacts import ReachCountedV1
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx


async def begin_preflight(tx: Tx, draft: Campaign) -> Preflight:
    """Ask the register whom the draft would reach; the report comes with its answer."""
    preflight = Preflight(
        id=new_id(),
        campaign_id=draft.id,
        campaign_version=draft.version,
        state="counting",
        requested_at=tx.clock.now(),
    )
    tx.add(preflight)
    tx.stage(events.preflight_requested(draft, preflight))
    return preflight


async def report_reach(tx: Tx, counted: ReachCountedV1) -> None:
    """Make the report from the register's answer; the first answer counts, later ones change nothing."""
    rows = await tx.scalars(
        select(Preflight).where(col(Preflight.id) == counted.preflight_id).with_for_update()
    )
    preflight = rows.first()
    # The draft may have been deleted with its pre-flights since it asked.
    campaign = await tx.get(Campaign, counted.campaign_id)
    if preflight is None or campaign is None or preflight.state != "counting":
        return
    settings = tx.settings(CampaignSettings)
    now = tx.clock.now()
    verdict = judge(
        await _plan(tx, campaign),
        counted,
        now=now,
        limits=Limits(settings.preflight_missing_names_pct, settings.preflight_duplicates_pct),
    )
    reach = [Reach(**one.model_dump()) for one in counted.items]
    preflight.report = {
        "segment_name": counted.segment_name,
        "members": counted.members,
        "missing_preferred_name": counted.missing_preferred_name,
        "likely_duplicates": counted.likely_duplicates,
        "reach": [one.model_dump(mode="json") for one in reach],
        "cost_minor": verdict.cost_minor,
        "budget_minor": campaign.budget_minor,
        "expected_responses": verdict.expected_responses,
        "findings": [one.model_dump(mode="json") for one in verdict.findings],
    }
    preflight.verdict = verdict.verdict.value
    preflight.counted_at = now
    preflight.state = "counted"


async def _plan(tx: ReadTx, campaign: Campaign) -> Plan:
    offers = {offer.id: offer for offer in await queries.offers_of(tx, campaign.id)}
    products = await products_by_id(tx, [offer.product_id for offer in offers.values()])
    cells = await queries.cells_of(tx, campaign.id)
    chosen = [choose_offer(cell, list(offers.values())) for cell in cells]
    return Plan(
        channel=campaign.channel,
        budget_minor=campaign.budget_minor,
        not_after=campaign.not_after,
        expected_response_pct=campaign.expected_response_pct,
        cells=[
            CellPlan(cell.share_pct, cell.cost_per_piece_minor, offer.product_id if offer else None)
            for cell, offer in zip(cells, chosen, strict=True)
        ],
        stock={
            key: Stock(product.name, product.available, product.is_active)
            for key, product in products.items()
        },
        has_offer=bool(offers),
    )


def choose_offer(cell: Cell, offers: list[Offer]) -> Offer | None:
    """Return the cell's own offer, else the campaign's first one, else nothing."""
    own = next((offer for offer in offers if offer.id == cell.offer_id), None)
    return own or (offers[0] if offers else None)


async def cards_of(
    tx: ReadTx, campaign_id: UUID, cells: list[Cell]
) -> dict[UUID, OfferCard | None]:
    """Return per cell what its pieces offer."""
    offers = list(await queries.offers_of(tx, campaign_id))
    prices = await queries.prices_of(tx, offers)
    cards: dict[UUID, OfferCard | None] = {}
    for cell in cells:
        offer = choose_offer(cell, offers)
        cards[cell.id] = events.offer_card(offer, prices[offer.id]) if offer else None
    return cards


async def send_test(tx: Tx, campaign_id: UUID, body: TestSendIn) -> TestSendOut:
    """Have a cell's message sent to one of our own addresses.

    Raises:
        CampaignUnknown: there is no such campaign.
        CellUnknown: it has no such cell, or none at all.
    """
    campaign = await queries.get_campaign(tx, campaign_id)
    cells = list(await queries.cells_of(tx, campaign_id))
    cell = next((one for one in cells if body.cell in (None, one.id)), None)
    if cell is None:
        raise CellUnknown(
            f"cell: the campaign has no cell {body.cell}" if body.cell else "Add a cell first"
        )
    cards = await cards_of(tx, campaign_id, [cell])
    test_id = new_id()
    tx.stage(
        events.test_requested(
            test_id=test_id,
            campaign=campaign,
            cell=cell,
            offer=cards[cell.id],
            to_email=body.to_email,
            language=body.language,
            preferred_name=body.preferred_name,
        )
    )
    return TestSendOut(id=test_id, cell_id=cell.id, to_email=body.to_email)
