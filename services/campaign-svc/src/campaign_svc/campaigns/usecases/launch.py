"""Launch a campaign: once, however many press the button."""

from collections.abc import Sequence
from uuid import UUID

from campaign_svc.campaigns import events, queries
from campaign_svc.campaigns.errors import (
    AlreadyLaunched,
    CampaignOver,
    PreflightMissing,
    PreflightRed,
    SharesWrong,
    SignOffNeeded,
)
from campaign_svc.campaigns.model import FULL_SHARE_PCT, Campaign, Cell, Launch, Preflight
from campaign_svc.campaigns.schemas import CampaignState, LaunchIn, Level
from campaign_svc.campaigns.usecases.plan import lock_campaign
from campaign_svc.campaigns.usecases.preflight import cards_of
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx


async def launch_campaign(tx: Tx, campaign_id: UUID, body: LaunchIn) -> tuple[Launch, bool]:
    """Launch a draft, or return the launch that there is; say whether it is new.

    Freezes the prices, orders the audience and tells of the launch, each once.

    Raises:
        CampaignUnknown: there is no such campaign.
        SharesWrong: the cells' shares do not sum to 100 %.
        CampaignOver: the campaign's last moment has passed.
        PreflightMissing: no pre-flight of this version was counted lately.
        PreflightRed: the pre-flight forbids it.
        SignOffNeeded: the pre-flight is yellow and nobody signs.
        AlreadyLaunched: it was launched with another signature.
    """
    # The row's lock is what makes it once: whoever comes second waits here, then finds the first one's launch.
    campaign = await lock_campaign(tx, campaign_id)
    sign_off = body.sign_off.model_dump() if body.sign_off else None
    existing = await queries.find_launch(tx, campaign_id)
    if existing is not None:
        if sign_off is not None and existing.sign_off != sign_off:
            raise AlreadyLaunched(f"The launch {existing.id} carries another signature")
        return existing, False
    cells = list(await queries.cells_of(tx, campaign_id))
    _check_plan(tx, campaign, cells)
    preflight = await _fresh_preflight(tx, campaign)
    if preflight.verdict == Level.YELLOW and sign_off is None:
        raise SignOffNeeded(
            "The pre-flight is yellow: send sign_off with the name of who answers for it and the reason",
            findings=preflight.report["findings"],
        )
    now = tx.clock.now()
    launch = Launch(
        id=new_id(),
        campaign_id=campaign.id,
        preflight_id=preflight.id,
        state=CampaignState.LAUNCHING.value,
        sign_off=sign_off,
        launched_at=now,
        launched_by=tx.actor,
    )
    tx.add(launch)
    await _freeze_prices(tx, campaign_id)
    cards = await cards_of(tx, campaign_id, cells)
    campaign.state = CampaignState.LAUNCHING.value
    campaign.updated_at = now
    tx.stage(events.audience_requested(campaign, launch))
    tx.stage(events.campaign_launched(campaign, launch, cells, cards[cells[0].id]))
    tx.audit("campaign.launch", str(campaign.id), launch_id=str(launch.id), sign_off=sign_off)
    return launch, True


def _check_plan(tx: Tx, campaign: Campaign, cells: Sequence[Cell]) -> None:
    total = sum(cell.share_pct for cell in cells)
    if total != FULL_SHARE_PCT:
        shares = " + ".join(f"{cell.key_code} {cell.share_pct} %" for cell in cells) or "no cells"
        raise SharesWrong(
            f"cells: {shares} = {total} %; change the shares until they sum to {FULL_SHARE_PCT} %"
        )
    if campaign.not_after is not None and campaign.not_after <= tx.clock.now():
        raise CampaignOver(
            f"not_after: {campaign.not_after.isoformat()} has passed; move it before the launch"
        )


async def _fresh_preflight(tx: Tx, campaign: Campaign) -> Preflight:
    preflight = await queries.newest_preflight(tx, campaign.id)
    if preflight is None:
        raise PreflightMissing(
            f"Run POST /v1/campaigns/{campaign.id}/preflights and wait for its report"
        )
    if queries.is_stale(tx, preflight, campaign.version):
        raise PreflightMissing(
            "The latest pre-flight is stale: it counted another version of the campaign, or too long "
            f"ago. Run POST /v1/campaigns/{campaign.id}/preflights again"
        )
    if preflight.verdict == Level.RED:
        raise PreflightRed(
            "The pre-flight found what must be mended first", findings=preflight.report["findings"]
        )
    return preflight


async def _freeze_prices(tx: Tx, campaign_id: UUID) -> None:
    offers = await queries.offers_of(tx, campaign_id)
    prices = await queries.prices_of(tx, offers)
    for offer in offers:
        offer.launched_price_minor = prices[offer.id]
