"""The cells are compared on a part of the audience; the rest waits and gets the winner."""

from datetime import timedelta
from uuid import UUID

import pytest

from campaign_svc.campaigns.model import Campaign, Cell, Launch, Piece, Preflight
from campaign_svc.campaigns.schemas import CampaignState
from campaign_svc.experiments.usecases import look
from campaign_svc.main import SPEC
from kantis_contracts.campaign import PieceReleasedV1
from kantis_kit.ids import new_id
from kantis_kit.tx import write

A, B = UUID(int=1), UUID(int=2)


@pytest.fixture
async def running(rig_for):
    """A launch whose experiment has arrived, with three people who wait."""
    rig = await rig_for(SPEC)
    now = rig.clock.now()
    campaign = Campaign(
        id=new_id(), name="Vår", segment_id=new_id(), purpose="offers", channel="email", currency="NOK",
        expected_response_pct=20, state=CampaignState.RUNNING.value, created_at=now, updated_at=now,
        experiment={"share_pct": 20, "metric": "responded", "alpha_pct": "5", "lift_pct": "20",
                    "decide_by": (now + timedelta(days=3)).isoformat()},
    )  # fmt: skip
    preflight = Preflight(
        id=new_id(), campaign_id=campaign.id, campaign_version=1, state="counting", requested_at=now
    )
    launch = Launch(
        id=new_id(), campaign_id=campaign.id, preflight_id=preflight.id, state=CampaignState.RUNNING.value,
        launched_at=now, launched_by="kari", total=403, arrived=403, released=400, settled=400,
    )  # fmt: skip
    cells = [
        Cell(id=id_, campaign_id=campaign.id, name=name, key_code=name * 2, share_pct=50,
             template_id=new_id(), cost_per_piece_minor=cost)
        for id_, name, cost in ((A, "A", 10), (B, "B", 30))
    ]  # fmt: skip
    async with write(rig.service.scope, actor="test") as tx:
        for one in (campaign, *cells, preflight, launch):
            tx.add(one)
            await tx.flush()
        for number in range(403):
            waits = number >= 400
            tx.add(
                Piece(
                    id=new_id(), launch_id=launch.id, campaign_id=campaign.id, cell_id=A if number % 2 else B,
                    person_id=new_id(), response_code=f"{number:010}", is_reserve=waits, released_at=now,
                    state="waiting" if waits else "accepted", settled_at=None if waits else now,
                    responded_at=now if number < 32 else None,
                )
            )  # fmt: skip
    return rig, f"/v1/campaigns/{campaign.id}", launch.id


async def looked(rig):
    async with write(rig.service.scope, actor="timer") as tx:
        await look(tx)
    await rig.drain()


async def test_the_better_cell_goes_to_the_rest_by_itself(running):
    rig, path, _ = running
    async with rig.client() as client:
        before = (await client.get(f"{path}/experiment")).json()
        pool = await rig.service.database.pool()
        await pool.execute(
            "UPDATE piece SET responded_at = released_at WHERE cell_id = $1 AND response_code < '0000000160'",
            B,
        )
        await looked(rig)
        await looked(rig)
        after = (await client.get(f"{path}/experiment")).json()

    assert (3, None, [200, 200]) == (
        before["waiting"], before["winner_cell_id"], [one["sent"] for one in before["cells"]],
    )  # fmt: skip
    assert 1.0 == before["pairs"][0]["p_value"] > 0.05 > after["pairs"][0]["p_value"]
    assert 1_600 < before["per_cell"] < 1_700
    assert (0, str(B), "figures") == (
        after["waiting"], after["winner_cell_id"], after["decided_by"],
    )  # fmt: skip
    (event,) = rig.published(PieceReleasedV1)
    assert (B, 30, 3) == (event.cell_id, event.cost_per_piece_minor, len(event.items))


async def test_without_a_clear_winner_the_rest_waits_until_the_day_or_a_person_decides(running):
    rig, path, _ = running
    await looked(rig)
    async with rig.client() as client:
        open_ = (await client.get(f"{path}/experiment")).json()
        nobody = await client.put(
            f"{path}/experiment/winner", json={"cell_id": str(new_id()), "reason": "why not"}
        )
    rig.clock.advance(timedelta(days=4))
    await looked(rig)
    async with rig.client() as client:
        over = (await client.get(f"{path}/experiment")).json()
        same, other = [
            await client.put(
                f"{path}/experiment/winner", json={"cell_id": cell, "reason": "as a person says"}
            )
            for cell in (over["winner_cell_id"], str(A if over["winner_cell_id"] == str(B) else B))
        ]

    assert open_["winner_cell_id"] is None
    assert (404, 200, 409) == (nobody.status_code, same.status_code, other.status_code)
    assert over["reason"].startswith("no winner by")


async def test_a_running_campaign_that_compares_nothing_keeps_no_experiment_from_its_winner(
    running,
):
    rig, path, _ = running
    now = rig.clock.now()
    plain = Campaign(
        id=new_id(), name="Høst", segment_id=new_id(), purpose="offers", channel="email", currency="NOK",
        expected_response_pct=20, state=CampaignState.RUNNING.value, created_at=now, updated_at=now,
    )  # fmt: skip
    asked = Preflight(
        id=new_id(), campaign_id=plain.id, campaign_version=1, state="counting", requested_at=now
    )
    launch = Launch(
        id=new_id(), campaign_id=plain.id, preflight_id=asked.id, state=CampaignState.RUNNING.value,
        launched_at=now, launched_by="kari", total=1, arrived=1, released=1, settled=0,
    )  # fmt: skip
    async with write(rig.service.scope, actor="test") as tx:
        for one in (plain, asked, launch):
            tx.add(one)
            await tx.flush()

    rig.clock.advance(timedelta(days=4))
    await looked(rig)

    async with rig.client() as client:
        shown = (await client.get(f"{path}/experiment")).json()
    assert shown["winner_cell_id"]
