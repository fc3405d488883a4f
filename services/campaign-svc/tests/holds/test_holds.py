"""A launch waits, goes on and ends when a person says so, and shows why it has paused itself."""

from datetime import timedelta

import pytest

from campaign_svc.campaigns.model import Campaign, Launch, Preflight
from campaign_svc.campaigns.schemas import CampaignState
from campaign_svc.main import SPEC
from kantis_contracts.campaign import LaunchPausedV1, LaunchResumedV1, LaunchStoppedV1
from kantis_contracts.messaging import LaunchSpike, SpikeNoticedV1
from kantis_kit.ids import new_id
from kantis_kit.tx import write

REASON = {"reason": "the price is wrong"}


@pytest.fixture
async def launched(rig_for):
    """A running launch, as it stands in the database."""
    rig = await rig_for(SPEC)
    now = rig.clock.now()
    campaign = Campaign(
        id=new_id(), name="Vår", segment_id=new_id(), purpose="offers", channel="email", currency="NOK",
        expected_response_pct=2, state=CampaignState.RUNNING.value, created_at=now, updated_at=now,
    )  # fmt: skip
    preflight = Preflight(
        id=new_id(), campaign_id=campaign.id, campaign_version=1, state="counting", requested_at=now
    )
    launch = Launch(
        id=new_id(), campaign_id=campaign.id, preflight_id=preflight.id, state=CampaignState.RUNNING.value,
        launched_at=now, launched_by="kari",
    )  # fmt: skip
    async with write(rig.service.scope, actor="test") as tx:
        for one in (campaign, preflight, launch):
            tx.add(one)
            await tx.flush()
    return rig, f"/v1/campaigns/{campaign.id}", launch.id


def _spike(launch_id, at):
    spike = LaunchSpike(
        launch_id=launch_id, campaign_id=new_id(), kind="bounce", count=14, of_messages=220, limit_pct=5,
        window_minutes=60, paused_at=at,
    )  # fmt: skip
    return SpikeNoticedV1(items=(spike,))


async def test_a_launch_is_paused_resumed_and_stopped_each_told_once_with_a_higher_version(
    launched,
):
    rig, path, launch_id = launched
    async with rig.client() as client:
        answers = [
            (await client.post(f"{path}/{what}", json=REASON)).json()
            for what in ("pause", "pause", "resume", "resume", "stop", "stop")
        ]
        late = await client.post(f"{path}/resume", json=REASON)
        shown = (await client.get(path)).json()["launch"]
    await rig.drain()

    assert ["paused", "paused", "", "", "stopped", "stopped"] == [one["hold"] for one in answers]
    told = [rig.items(kind) for kind in (LaunchPausedV1, LaunchResumedV1, LaunchStoppedV1)]
    assert [[(launch_id, number, REASON["reason"])] for number in (1, 2, 3)] == [
        [(one.launch_id, one.version, one.reason) for one in items] for items in told
    ]
    assert ("stopped", REASON["reason"], "test-key") == (
        shown["hold"], shown["hold_reason"], shown["held_by"],
    )  # fmt: skip
    assert (409, "launch-over") == (late.status_code, late.json()["type"].rsplit(":", 1)[-1])


async def test_what_is_not_launched_or_has_ended_cannot_wait(launched):
    rig, path, launch_id = launched
    async with rig.client() as client:
        body = {"name": "Høst", "segment_id": str(new_id()), "currency": "NOK", "priority": 70}
        draft = (await client.post("/v1/campaigns", json=body)).json()
        nowhere = await client.post(f"/v1/campaigns/{draft['id']}/pause", json=REASON)
        unknown = await client.post(f"/v1/campaigns/{new_id()}/pause", json=REASON)
        silent = await client.post(f"{path}/pause", json={"reason": ""})
        async with write(rig.service.scope, actor="test") as tx:
            launch = await tx.get(Launch, launch_id)
            launch.state = CampaignState.FINISHED.value
        over = await client.post(f"{path}/stop", json=REASON)

    assert 70 == draft["priority"]
    assert [404, 404, 422, 409] == [one.status_code for one in (nowhere, unknown, silent, over)]


async def test_a_launch_that_paused_itself_says_why_until_a_person_resumes_it(launched):
    rig, path, launch_id = launched
    spike = _spike(launch_id, rig.clock.now())
    await rig.publish(spike)
    await rig.drain()
    async with rig.client() as client:
        shown = (await client.get(path)).json()["launch"]
    rig.clock.advance(timedelta(minutes=5))
    async with rig.client() as client:
        resumed = await client.post(f"{path}/resume", json={"reason": "a typing error in a list"})
        # The same news again, late: the person has decided since.
        await rig.publish(spike)
        await rig.drain()
        after = (await client.get(path)).json()["launch"]

    assert ("paused", "messaging") == (shown["hold"], shown["held_by"])
    assert shown["hold_reason"].startswith("14 bounces of 220 messages within 60 minutes")
    assert (200, "") == (resumed.status_code, after["hold"])
    assert [launch_id] == [one.launch_id for one in rig.items(LaunchResumedV1)]
