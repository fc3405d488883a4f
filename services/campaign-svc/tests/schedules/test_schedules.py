"""A campaign begins at its moment; when nothing ran then, it waits for a person."""

from datetime import timedelta

import pytest

from campaign_svc.main import SPEC
from kantis_contracts.campaign import CampaignLaunchedV1, PreflightRequestedV1
from kantis_contracts.contacts import ChannelReach, ReachCountedV1
from kantis_contracts.messaging import TemplateCheck, TemplateCheckedV1
from kantis_contracts.orders import ProductCard, ProductChangedV1
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id

PRODUCT = new_id()


@pytest.fixture
async def rig(rig_for):
    return await rig_for(SPEC)


async def _draft(rig):
    card = ProductCard(
        product_id=PRODUCT, version=1, sku="LAMP", name="Lampe", price_minor=19900, currency="NOK", vat_pct=25,
        available=100,
    )  # fmt: skip
    await rig.publish(ProductChangedV1(items=(card,)))
    await rig.drain()
    async with rig.client() as client:
        body = {"name": "Vår", "segment_id": str(new_id()), "currency": "NOK"}
        campaign = (await client.post("/v1/campaigns", json=body)).json()
        path = f"/v1/campaigns/{campaign['id']}"
        await client.post(f"{path}/offers", json={"product_id": str(PRODUCT)})
        cell = {"name": "A", "share_pct": 100, "template_id": str(new_id())}
        assert 201 == (await client.post(f"{path}/cells", json=cell)).status_code
    return path


async def _set(rig, path, after, **more):
    async with rig.client() as client:
        moment = (rig.clock.now() + after).isoformat()
        return await client.put(f"{path}/schedule", json={"launch_at": moment, **more})


async def _shown(rig, path):
    async with rig.client() as client:
        return (await client.get(f"{path}/schedule")).json(), (await client.get(path)).json()


async def _count(rig, *, reachable=90, likely_duplicates=0):
    """Answer the newest pre-flight as contacts-svc does."""
    asked = rig.items(PreflightRequestedV1)[-1]
    reach = ChannelReach(channel=Channel.EMAIL, reachable=reachable, excluded={})
    answer = ReachCountedV1(
        preflight_id=asked.preflight_id, campaign_id=asked.campaign_id, segment_id=asked.segment_id,
        segment_name="Kunder", members=reachable, likely_duplicates=likely_duplicates, items=(reach,),
    )  # fmt: skip
    check = TemplateCheck(cell_id=new_id(), channel=Channel.EMAIL, template_id=new_id())
    of_it = {"preflight_id": asked.preflight_id, "campaign_id": asked.campaign_id}
    await rig.publish(answer, TemplateCheckedV1(items=(check,), **of_it))
    await rig.drain()


async def test_a_campaign_is_launched_once_at_its_moment_after_a_preflight_of_its_own(rig):
    path = await _draft(rig)
    assert 200 == (await _set(rig, path, timedelta(days=3))).status_code

    rig.clock.advance(timedelta(days=3, seconds=-1))
    await rig.drain()
    assert [] == rig.items(PreflightRequestedV1)
    rig.clock.advance(timedelta(seconds=1))
    await rig.drain()
    await _count(rig)
    rig.clock.advance(timedelta(minutes=1))
    await rig.drain()
    schedule, campaign = await _shown(rig, path)

    assert ("launched", "launching") == (schedule["state"], campaign["state"])
    assert 1 == len(rig.published(CampaignLaunchedV1))


async def test_a_schedule_that_is_hours_late_waits_for_a_person(rig):
    path = await _draft(rig)
    await _set(rig, path, timedelta(hours=1))

    rig.clock.advance(timedelta(hours=3))
    await rig.drain()
    schedule, campaign = await _shown(rig, path)

    assert ("missed", "draft") == (schedule["state"], campaign["state"])
    assert "Launch it, or set another moment" in schedule["problem"]
    assert [] == rig.published(CampaignLaunchedV1)
    assert "planned" == (await _set(rig, path, timedelta(hours=1))).json()["state"]


async def test_what_forbids_a_launch_forbids_it_at_its_moment_too_and_says_so(rig):
    path = await _draft(rig)
    await _set(rig, path, timedelta(hours=1))
    rig.clock.advance(timedelta(hours=1))
    await rig.drain()
    await _count(rig, reachable=0)
    rig.clock.advance(timedelta(minutes=1))
    await rig.drain()
    schedule, campaign = await _shown(rig, path)

    assert ("refused", "draft") == (schedule["state"], campaign["state"])
    assert schedule["problem"]


async def test_a_moment_that_has_passed_is_refused_and_a_schedule_can_be_dropped(rig):
    path = await _draft(rig)
    late = await _set(rig, path, timedelta(seconds=-1))
    await _set(rig, path, timedelta(hours=1))
    async with rig.client() as client:
        dropped = await client.delete(f"{path}/schedule")
        gone = await client.delete(f"{path}/schedule")
        unknown = await client.get(f"/v1/campaigns/{new_id()}/schedule")
    rig.clock.advance(timedelta(hours=1))
    await rig.drain()

    assert [422, 204, 404, 404] == [one.status_code for one in (late, dropped, gone, unknown)]
    assert [] == rig.items(PreflightRequestedV1)


async def test_what_recurs_is_launched_again_as_a_draft_of_its_own_until_its_last_day(rig):
    path = await _draft(rig)
    until = (rig.clock.now() + timedelta(days=9)).isoformat()
    await _set(rig, path, timedelta(days=1), repeat_days=7, repeat_until=until)
    for wait in (timedelta(days=1), timedelta(days=7)):
        rig.clock.advance(wait)
        await rig.drain()
        await _count(rig)
        rig.clock.advance(timedelta(minutes=1))
        await rig.drain()

    async with rig.client() as client:
        second, first = (await client.get("/v1/campaigns")).json()["items"]
        shown, moments = [], []
        for one in (first, second):
            shown.append((await client.get(f"/v1/campaigns/{one['id']}")).json())
            moments.append((await client.get(f"/v1/campaigns/{one['id']}/schedule")).json())

    assert ["launching", "launching"] == [one["state"] for one in shown]
    assert ["launched", "launched"] == [one["state"] for one in moments]
    assert shown[0]["cells"][0]["key_code"] != shown[1]["cells"][0]["key_code"]
    assert shown[1]["cells"][0]["offer_id"] is None
    assert 19900 == shown[1]["offers"][0]["price_minor"]
    assert 2 == len(rig.published(CampaignLaunchedV1))


async def test_a_moment_at_which_the_campaign_is_over_is_refused_and_one_before_it_is_taken(rig):
    path = await _draft(rig)
    async with rig.client() as client:
        draft = await client.get(path)
        last = (rig.clock.now() + timedelta(days=2)).isoformat()
        moved = await client.patch(
            path, json={"not_after": last}, headers={"If-Match": draft.headers["ETag"]}
        )
    late = await _set(rig, path, timedelta(days=2))
    in_time = await _set(rig, path, timedelta(days=2, seconds=-1))

    assert [200, 422, 200] == [one.status_code for one in (moved, late, in_time)]
    assert late.json()["type"].endswith("schedule-too-late")
    assert "not_after" in late.json()["detail"]
