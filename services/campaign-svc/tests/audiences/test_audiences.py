"""How large a campaign's segment is, as the register tells it."""

from datetime import UTC, datetime, timedelta

from campaign_svc.main import SPEC
from kantis_contracts.contacts import SegmentChange, SegmentChangedV1, SegmentMove
from kantis_kit.ids import new_id

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SEGMENT = new_id()


def changed(revision, members, *changes):
    items = tuple(
        SegmentMove(
            person_id=None if change == "built" else new_id(),
            change=SegmentChange(change),
            at=NOW + timedelta(minutes=revision),
        )
        for change in changes
    )
    return SegmentChangedV1(
        segment_id=SEGMENT,
        segment_name=f"Buyers {revision}",
        version=1,
        revision=revision,
        members=members,
        items=items,
    )


async def test_a_campaign_shows_how_large_its_segment_is_in_whatever_order_it_is_told(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        plans = [
            (
                await client.post(
                    "/v1/campaigns",
                    json={
                        "name": "A",
                        "segment_id": str(one),
                        "purpose": "offers",
                        "currency": "NOK",
                    },
                )
            ).json()
            for one in (SEGMENT, new_id())
        ]
        before = await client.get(f"/v1/campaigns/{plans[0]['id']}")
        await rig.publish(changed(3, 2, "left"), changed(1, 2, "built"))
        await rig.publish(changed(2, 3, "entered", "entered", "left"))
        await rig.drain()
        told, other = [
            (await client.get(f"/v1/campaigns/{one['id']}")).json()["audience"] for one in plans
        ]

    assert before.json()["audience"] is None
    assert other is None
    assert ("Buyers 3", 2, 2, 2) == tuple(
        told[name] for name in ("name", "members", "entered", "gone")
    )
    assert told["changed_at"].startswith("2026-03-02T09:03")
