"""Launch a campaign: once, however many press the button."""

from collections.abc import Sequence
from uuid import UUID

from campaign_svc.campaigns import events, queries
from campaign_svc.campaigns.errors import (
    AlreadyLaunched,
    ApprovalNeeded,
    CampaignOver,
    PreflightMissing,
    PreflightRed,
    SharesWrong,
    SignOffNeeded,
)
from campaign_svc.campaigns.model import Approval, Campaign, Cell, Launch, Preflight
from campaign_svc.campaigns.routing import FULL_SHARE_PCT
from campaign_svc.campaigns.schemas import ApprovalIn, CampaignState, LaunchIn, Level
from campaign_svc.campaigns.usecases.plan import lock_campaign, lock_draft
from campaign_svc.campaigns.usecases.waves import plan_of
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx


async def approve_campaign(tx: Tx, campaign_id: UUID, body: ApprovalIn) -> Approval:
    """Approve the launch of a draft as it is now; whoever approves twice has approved once.

    Raises:
        CampaignUnknown: there is no such campaign.
        NotDraft: it has been launched.
    """
    draft = await lock_draft(tx, campaign_id)
    approval = await tx.get(Approval, (draft.id, draft.version, tx.actor))
    if approval is None:
        approval = Approval(
            campaign_id=draft.id,
            campaign_version=draft.version,
            approved_by=tx.actor,
            name=body.name,
            note=body.note,
            approved_at=tx.clock.now(),
        )
        tx.add(approval)
        tx.audit("campaign.approve", str(draft.id), version=draft.version, name=body.name)
    return approval


async def launch_campaign(
    tx: Tx, campaign_id: UUID, body: LaunchIn, *, by: str = ""
) -> tuple[Launch, bool]:
    """Launch a draft, or return the launch that there is; say whether it is new.

    `by` names who ordered it earlier; without one it is whoever asks now.

    Freezes the prices, orders the audience and tells of the launch, each once.

    Raises:
        CampaignUnknown: there is no such campaign.
        SharesWrong: the cells' shares do not sum to 100 %.
        CampaignOver: the campaign's last moment has passed.
        PreflightMissing: no pre-flight of this version was counted lately.
        PreflightRed: the pre-flight forbids it.
        SignOffNeeded: the pre-flight is yellow and nobody signs.
        ApprovalNeeded: it is larger than one person may launch, and nobody else has approved it.
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
    launched_by = by or tx.actor
    if preflight.report.get("needs_approval"):
        await _require_approval(tx, campaign, launched_by)
    now = tx.clock.now()
    launch = Launch(
        id=new_id(),
        campaign_id=campaign.id,
        preflight_id=preflight.id,
        state=CampaignState.LAUNCHING.value,
        sign_off=sign_off,
        launched_at=now,
        launched_by=launched_by,
    )
    tx.add(launch)
    await _freeze_prices(tx, campaign_id)
    plan = await plan_of(tx, campaign)
    campaign.state = CampaignState.LAUNCHING.value
    campaign.updated_at = now
    tx.stage(events.audience_requested(campaign, launch, plan.cells))
    tx.stage(events.campaign_launched(campaign, launch, cells, plan.cards[cells[0].id]))
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


async def _require_approval(tx: Tx, campaign: Campaign, launched_by: str) -> None:
    approvals = await queries.list_approvals(tx, campaign.id)
    if not any(
        one.campaign_version == campaign.version and one.approved_by != launched_by
        for one in approvals
    ):
        raise ApprovalNeeded(
            f"It would make more pieces than one person may launch: somebody else than {launched_by} approves this "
            f"version with POST /v1/campaigns/{campaign.id}/approvals"
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
