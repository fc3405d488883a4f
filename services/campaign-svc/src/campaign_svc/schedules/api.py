"""When a campaign is launched."""

from uuid import UUID

from campaign_svc.schedules import usecases
from campaign_svc.schedules.schemas import ScheduleIn, ScheduleOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/campaigns/{campaign_id}/schedule", tags=["campaigns"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")


@router.put("", policy=WRITE)
async def set_schedule(campaign_id: UUID, body: ScheduleIn, tx: Write) -> ScheduleOut:
    """Have a draft launched at a moment, after a pre-flight of its own."""
    return await usecases.set_schedule(tx, campaign_id, body)


@router.get("", policy=READ)
async def get_schedule(campaign_id: UUID, tx: Read) -> ScheduleOut:
    """Return when a campaign is launched, and what became of it."""
    return ScheduleOut.model_validate(await usecases.get_schedule(tx, campaign_id))


@router.delete("", policy=WRITE, status_code=204)
async def drop_schedule(campaign_id: UUID, tx: Write) -> None:
    """Launch it by hand after all."""
    await usecases.drop_schedule(tx, campaign_id)
