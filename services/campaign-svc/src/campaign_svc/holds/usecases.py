"""Let a launch wait, go on, or end before its end."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.campaigns.errors import NotLaunched
from campaign_svc.campaigns.model import Launch
from campaign_svc.campaigns.queries import get_campaign
from campaign_svc.campaigns.schemas import CampaignState
from campaign_svc.campaigns.usecases import end_waiting, release_wave
from campaign_svc.holds import events
from campaign_svc.holds.errors import LaunchOver
from campaign_svc.holds.schemas import HoldOut
from kantis_contracts.messaging import LaunchSpike
from kantis_kit.tx import Tx

RUNNING, PAUSED, STOPPED = "", "paused", "stopped"
_TOLD = {
    RUNNING: events.launch_resumed,
    PAUSED: events.launch_paused,
    STOPPED: events.launch_stopped,
}
BY_ITSELF = "messaging"


async def decide(tx: Tx, campaign_id: UUID, hold: str, reason: str) -> HoldOut:
    """Pause, resume or stop a campaign's launch; the same decision again changes nothing.

    Takes effect where messages are handed over, when the event is there: within a second.

    Raises:
        CampaignUnknown: there is no such campaign.
        NotLaunched: it has no launch.
        LaunchOver: the launch has ended, or was stopped.
    """
    await get_campaign(tx, campaign_id)
    found = await tx.scalars(
        select(Launch).where(col(Launch.campaign_id) == campaign_id).with_for_update()
    )
    launch = found.first()
    if launch is None:
        raise NotLaunched("The campaign has not been launched")
    if launch.hold != hold:
        if launch.hold == STOPPED or launch.state == CampaignState.FINISHED:
            what = "was stopped" if launch.hold == STOPPED else "has reached everybody"
            raise LaunchOver(f"The launch {what}; it can neither wait nor go on")
        launch.hold = hold
        launch.hold_version += 1
        launch.hold_reason, launch.held_by, launch.held_at = reason, tx.actor, tx.clock.now()
        tx.stage(_TOLD[hold](launch))
        await tx.flush()  # what waits is looked at by statements of their own
        if hold == STOPPED:
            await end_waiting(tx, launch.id)
        elif hold == RUNNING:
            await release_wave(tx, launch.id)
        tx.audit("launch.hold", str(launch.id), hold=hold or "running", reason=reason)
    return hold_out(launch)


def hold_out(launch: Launch) -> HoldOut:
    """Return how a launch stands."""
    return HoldOut.model_validate({**launch.model_dump(exclude={"id"}), "launch_id": launch.id})


async def note_spikes(tx: Tx, items: Sequence[LaunchSpike]) -> None:
    """Show of launches that have paused themselves that they did, and why.

    What a person has decided since stays: a launch that was resumed after the spike runs.
    """
    for item in sorted(items, key=lambda one: one.launch_id):
        found = await tx.scalars(
            select(Launch).where(col(Launch.id) == item.launch_id).with_for_update()
        )
        launch = found.first()
        if launch is None or launch.hold or (launch.held_at and launch.held_at >= item.paused_at):
            continue
        launch.hold = PAUSED
        launch.hold_reason = (
            f"{item.count} {item.kind}s of {item.of_messages} messages within {item.window_minutes} minutes: more than "
            f"{item.limit_pct:g} %. Find out why before it goes on"
        )
        launch.held_by, launch.held_at = BY_ITSELF, item.paused_at
