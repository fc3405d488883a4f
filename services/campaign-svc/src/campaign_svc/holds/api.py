"""Pause, resume and stop a campaign's launch."""

from uuid import UUID

from campaign_svc.holds import usecases
from campaign_svc.holds.schemas import HoldIn, HoldOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/campaigns/{campaign_id}", tags=["campaigns"])
WRITE = needs("campaign:write")


@router.post("/pause", policy=WRITE)
async def pause_campaign(campaign_id: UUID, body: HoldIn, tx: Write) -> HoldOut:
    """Hand over nothing more until somebody resumes it."""
    return await usecases.decide(tx, campaign_id, usecases.PAUSED, body.reason)


@router.post("/resume", policy=WRITE)
async def resume_campaign(campaign_id: UUID, body: HoldIn, tx: Write) -> HoldOut:
    """Let it go on, also after it has paused itself."""
    return await usecases.decide(tx, campaign_id, usecases.RUNNING, body.reason)


@router.post("/stop", policy=WRITE)
async def stop_campaign(campaign_id: UUID, body: HoldIn, tx: Write) -> HoldOut:
    """End it for good: whoever has not got the message will not get it."""
    return await usecases.decide(tx, campaign_id, usecases.STOPPED, body.reason)
