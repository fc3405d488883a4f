"""The campaigns' routes."""

from uuid import UUID

from fastapi import Request, Response

from campaign_svc.campaigns import queries, usecases
from campaign_svc.campaigns.schemas import (
    ApprovalIn,
    ApprovalOut,
    CampaignDetail,
    CampaignIn,
    CampaignOut,
    CampaignPatch,
    CellIn,
    CellOut,
    CellPatch,
    LaunchIn,
    LaunchOut,
    OfferIn,
    OfferOut,
    PieceOut,
    PieceState,
    PreflightOut,
    ProgressOut,
    TestSendIn,
    TestSendOut,
    WhyOut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Limit, Page, id_after, page_by_id
from kantis_kit.web.router import Router

router = Router(prefix="/v1/campaigns", tags=["campaigns"])
offers = Router(prefix="/v1/offers", tags=["campaigns"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")


@router.post("", policy=WRITE, status_code=201)
async def plan_campaign(body: CampaignIn, tx: Write, response: Response) -> CampaignOut:
    """Plan a campaign; it is a draft until it is launched."""
    campaign = await usecases.plan_campaign(tx, body)
    response.headers["Location"] = f"/v1/campaigns/{campaign.id}"
    response.headers["ETag"] = etag(campaign.version)
    return CampaignOut.model_validate(campaign)


@router.get("", policy=READ)
async def list_campaigns(
    tx: Read, cursor: str | None = None, limit: Limit = 50
) -> Page[CampaignOut]:
    """Return campaigns, the newest first."""
    items = await queries.list_campaigns(tx, id_after(cursor), limit)
    return page_by_id(items, limit)


@router.get("/{campaign_id}", policy=READ)
async def get_campaign(campaign_id: UUID, tx: Read, response: Response) -> CampaignDetail:
    """Return a campaign with its offers, cells and launch."""
    detail = await queries.get_campaign_detail(tx, campaign_id)
    response.headers["ETag"] = etag(detail.version)
    return detail


@router.patch("/{campaign_id}", policy=WRITE)
async def change_campaign(
    campaign_id: UUID, body: CampaignPatch, request: Request, tx: Write, response: Response
) -> CampaignOut:
    """Change a draft that has not changed since it was read (If-Match)."""
    draft = await usecases.lock_draft(tx, campaign_id)
    require_match(request, draft.version)
    campaign = await usecases.change_campaign(tx, draft, body)
    response.headers["ETag"] = etag(campaign.version)
    return CampaignOut.model_validate(campaign)


@router.delete("/{campaign_id}", policy=WRITE, status_code=204)
async def delete_campaign(campaign_id: UUID, request: Request, tx: Write) -> None:
    """Delete a draft that has not changed since it was read (If-Match)."""
    draft = await usecases.lock_draft(tx, campaign_id)
    require_match(request, draft.version)
    await usecases.delete_campaign(tx, draft)


@router.post("/{campaign_id}/offers", policy=WRITE, status_code=201)
async def add_offer(campaign_id: UUID, body: OfferIn, tx: Write) -> OfferOut:
    """Offer a product of the catalogue, at its price or at one of our own."""
    draft = await usecases.lock_draft(tx, campaign_id)
    offer = await usecases.add_offer(tx, draft, body)
    prices = await queries.prices_of(tx, [offer])
    return queries.offer_out(offer, prices[offer.id])


@router.delete("/{campaign_id}/offers/{offer_id}", policy=WRITE, status_code=204)
async def remove_offer(campaign_id: UUID, offer_id: UUID, tx: Write) -> None:
    """Take an offer out of a draft."""
    draft = await usecases.lock_draft(tx, campaign_id)
    await usecases.remove_offer(tx, draft, offer_id)


@router.post("/{campaign_id}/cells", policy=WRITE, status_code=201)
async def add_cell(campaign_id: UUID, body: CellIn, tx: Write) -> CellOut:
    """Add a test cell; without a key code one is made."""
    draft = await usecases.lock_draft(tx, campaign_id)
    return CellOut.model_validate(await usecases.add_cell(tx, draft, body))


@router.patch("/{campaign_id}/cells/{cell_id}", policy=WRITE)
async def change_cell(campaign_id: UUID, cell_id: UUID, body: CellPatch, tx: Write) -> CellOut:
    """Change a cell of a draft."""
    draft = await usecases.lock_draft(tx, campaign_id)
    return CellOut.model_validate(await usecases.change_cell(tx, draft, cell_id, body))


@router.delete("/{campaign_id}/cells/{cell_id}", policy=WRITE, status_code=204)
async def remove_cell(campaign_id: UUID, cell_id: UUID, tx: Write) -> None:
    """Take a cell out of a draft."""
    draft = await usecases.lock_draft(tx, campaign_id)
    await usecases.remove_cell(tx, draft, cell_id)


@router.post("/{campaign_id}/preflights", policy=WRITE, status_code=202)
async def begin_preflight(campaign_id: UUID, tx: Write, response: Response) -> PreflightOut:
    """Ask what a launch would do now; the report is there when the state is `counted`."""
    draft = await usecases.lock_draft(tx, campaign_id)
    preflight = await usecases.begin_preflight(tx, draft)
    response.headers["Location"] = f"/v1/campaigns/{campaign_id}/preflights/{preflight.id}"
    return queries.preflight_out(preflight, stale=False)


@router.get("/{campaign_id}/preflights/{preflight_id}", policy=READ)
async def get_preflight(campaign_id: UUID, preflight_id: UUID, tx: Read) -> PreflightOut:
    """Return a pre-flight's report."""
    return await queries.get_preflight(tx, campaign_id, preflight_id)


@router.post("/{campaign_id}/test-sends", policy=WRITE, status_code=202)
async def send_test(campaign_id: UUID, body: TestSendIn, tx: Write) -> TestSendOut:
    """Send a cell's message to an address of our own."""
    return await usecases.send_test(tx, campaign_id, body)


@router.post("/{campaign_id}/seed-sends", policy=WRITE, status_code=202)
async def send_to_seeds(campaign_id: UUID, tx: Write) -> list[TestSendOut]:
    """Send every cell's mail to every address of the seed list."""
    return await usecases.send_to_seeds(tx, campaign_id)


@router.post("/{campaign_id}/approvals", policy=WRITE, status_code=201)
async def approve_campaign(campaign_id: UUID, body: ApprovalIn, tx: Write) -> ApprovalOut:
    """Approve the launch of a draft as it is now; it counts for a launch by somebody else."""
    return ApprovalOut.model_validate(await usecases.approve_campaign(tx, campaign_id, body))


@router.get("/{campaign_id}/approvals", policy=READ)
async def list_approvals(campaign_id: UUID, tx: Read) -> list[ApprovalOut]:
    """Return who has approved which version of a campaign."""
    return await queries.list_approvals(tx, campaign_id)


@router.post(
    "/{campaign_id}/launch",
    policy=WRITE,
    status_code=202,
    responses={200: {"model": LaunchOut, "description": "The launch that was begun before"}},
)
async def launch_campaign(
    campaign_id: UUID, tx: Write, response: Response, body: LaunchIn | None = None
) -> LaunchOut:
    """Launch a campaign, once: 202 for the launch, 200 with the same launch for whoever comes later."""
    launch, is_new = await usecases.launch_campaign(tx, campaign_id, body or LaunchIn())
    if not is_new:
        response.status_code = 200
    return LaunchOut.model_validate(launch)


@router.get("/{campaign_id}/progress", policy=READ)
async def get_progress(campaign_id: UUID, tx: Read) -> ProgressOut:
    """Return how many pieces are in which state."""
    return await queries.get_progress(tx, campaign_id)


@router.get("/{campaign_id}/pieces", policy=READ)
async def list_pieces(
    campaign_id: UUID,
    tx: Read,
    *,
    state: PieceState | None = None,
    person_id: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[PieceOut]:
    """Return a campaign's pieces with what became of them."""
    items = await queries.list_pieces(
        tx, campaign_id, state=state, person_id=person_id, after=id_after(cursor), limit=limit
    )
    return page_by_id(items, limit)


@router.get("/{campaign_id}/why/{person_id}", policy=READ)
async def get_why(campaign_id: UUID, person_id: UUID, tx: Read) -> WhyOut:
    """Return why a person got a piece: segment, clauses, cell, code."""
    return await queries.get_why(tx, campaign_id, person_id)


@offers.get("", policy=READ)
async def list_offers(tx: Read, cursor: str | None = None, limit: Limit = 50) -> Page[OfferOut]:
    """Return the offers of all campaigns, the newest first."""
    items = await queries.list_offers(tx, id_after(cursor), limit)
    return page_by_id(items, limit)
