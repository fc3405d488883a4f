"""Launch campaigns at their moment; one that is late waits for a person."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from campaign_svc.campaigns.errors import PreflightMissing
from campaign_svc.campaigns.model import Campaign
from campaign_svc.campaigns.queries import get_campaign
from campaign_svc.campaigns.schemas import CampaignState, LaunchIn, SignOff
from campaign_svc.campaigns.usecases import (
    begin_preflight,
    copy_campaign,
    launch_campaign,
    lock_draft,
)
from campaign_svc.schedules.errors import MomentPassed, ScheduleUnknown, TooLate
from campaign_svc.schedules.model import Schedule
from campaign_svc.schedules.schemas import ScheduleIn, ScheduleOut, ScheduleState
from campaign_svc.settings import CampaignSettings
from kantis_kit.errors import AppError
from kantis_kit.tx import ReadTx, Tx

TIMER = "campaign.schedule"
LOOK_AGAIN = timedelta(seconds=30)
"""A pre-flight is counted within moments; it is asked for this long after it was ordered."""


async def set_schedule(tx: Tx, campaign_id: UUID, body: ScheduleIn) -> ScheduleOut:
    """Have a draft launched at a moment; an earlier schedule is replaced.

    Raises:
        CampaignUnknown: there is no such campaign.
        NotDraft: it has been launched.
        MomentPassed: the moment does not lie ahead.
        TooLate: the campaign's last moment comes before it.
    """
    draft = await lock_draft(tx, campaign_id)
    now = tx.clock.now()
    if body.launch_at <= now:
        raise MomentPassed(
            f"launch_at: {body.launch_at.isoformat()} has passed; launch it, or name a later moment"
        )
    if draft.not_after is not None and body.launch_at >= draft.not_after:
        raise TooLate(
            f"launch_at: nothing may be sent after {draft.not_after.isoformat()} (the campaign's not_after), so that is"
            " too late to begin; name an earlier moment, or move not_after"
        )
    schedule = await tx.get(Schedule, campaign_id)
    values: dict[str, Any] = {
        "launch_at": body.launch_at,
        "state": ScheduleState.PLANNED.value,
        "sign_off": body.sign_off.model_dump() if body.sign_off else None,
        "problem": "",
        "set_by": tx.actor,
        "repeat_days": body.repeat_days,
        "repeat_until": body.repeat_until,
        "changed_at": now,
    }
    if schedule is None:
        schedule = Schedule(campaign_id=campaign_id, **values)
        tx.add(schedule)
    else:
        for name, value in values.items():
            setattr(schedule, name, value)
    await tx.schedule(TIMER, str(campaign_id), body.launch_at)
    tx.audit("campaign.schedule", str(campaign_id), launch_at=body.launch_at.isoformat())
    return ScheduleOut.model_validate(schedule)


async def get_schedule(tx: ReadTx, campaign_id: UUID) -> Schedule:
    """Return a campaign's schedule.

    Raises:
        CampaignUnknown: there is no such campaign.
        ScheduleUnknown: it has none.
    """
    await get_campaign(tx, campaign_id)
    schedule = await tx.get(Schedule, campaign_id)
    if schedule is None:
        raise ScheduleUnknown("The campaign is launched by hand")
    return schedule


async def drop_schedule(tx: Tx, campaign_id: UUID) -> None:
    """Launch it by hand after all.

    Raises:
        CampaignUnknown: there is no such campaign.
        ScheduleUnknown: it has no schedule.
    """
    await tx.delete(await get_schedule(tx, campaign_id))
    await tx.cancel(TIMER, [str(campaign_id)])
    tx.audit("campaign.unschedule", str(campaign_id))


async def launch_due(tx: Tx, campaign_ids: Sequence[UUID]) -> None:
    """Launch the campaigns whose moment has come, after a pre-flight of their own; one that is late is missed."""
    grace = timedelta(minutes=tx.settings(CampaignSettings).schedule_grace_minutes)
    for campaign_id in sorted(campaign_ids):
        schedule = await tx.get(Schedule, campaign_id)
        campaign = await tx.get(Campaign, campaign_id)
        if schedule is None or campaign is None or schedule.state != ScheduleState.PLANNED:
            continue
        schedule.changed_at = now = tx.clock.now()
        if campaign.state != CampaignState.DRAFT:
            schedule.state = ScheduleState.LAUNCHED.value  # by hand, before its moment
        elif now - schedule.launch_at > grace:
            schedule.state = ScheduleState.MISSED.value
            schedule.problem = (
                f"Nothing ran at its moment; {now:%Y-%m-%d %H:%M} UTC was too late to begin without being asked. Launch it,"
                " or set another moment"
            )
            tx.audit("campaign.schedule_missed", str(campaign_id))
        else:
            await _launch(tx, schedule)


async def _launch(tx: Tx, schedule: Schedule) -> None:
    sign_off = SignOff.model_validate(schedule.sign_off) if schedule.sign_off else None
    try:
        async with tx.savepoint():
            body = LaunchIn(sign_off=sign_off)
            await launch_campaign(tx, schedule.campaign_id, body, by=schedule.set_by)
    except PreflightMissing:
        await begin_preflight(tx, await lock_draft(tx, schedule.campaign_id))
        await tx.schedule(TIMER, str(schedule.campaign_id), tx.clock.now() + LOOK_AGAIN)
    except AppError as refusal:
        schedule.state, schedule.problem = ScheduleState.REFUSED.value, refusal.detail
        tx.audit("campaign.schedule_refused", str(schedule.campaign_id), problem=refusal.detail)
    else:
        schedule.state = ScheduleState.LAUNCHED.value
        await _repeat(tx, schedule)


async def _repeat(tx: Tx, schedule: Schedule) -> None:
    """Plan the next launch of what recurs: a draft of its own, with a pre-flight of its own at its moment."""
    if schedule.repeat_days is None:
        return
    later = timedelta(days=schedule.repeat_days)
    moment = schedule.launch_at + later
    if schedule.repeat_until is not None and moment > schedule.repeat_until:
        return
    draft = await copy_campaign(tx, schedule.campaign_id, later=later)
    following = {
        "campaign_id": draft.id,
        "launch_at": moment,
        "state": ScheduleState.PLANNED.value,
        "problem": "",
        "changed_at": tx.clock.now(),
    }
    tx.add(Schedule(**{**schedule.model_dump(), **following}))
    await tx.schedule(TIMER, str(draft.id), moment)
    tx.audit("campaign.repeat", str(draft.id), of=str(schedule.campaign_id))
