"""Segments through the API, and what campaigns ask of them."""

from datetime import timedelta
from uuid import UUID

from contacts_svc.main import SPEC
from kantis_contracts.campaign import (
    AudienceRequest,
    AudienceRequestedV1,
    PreflightRequest,
    PreflightRequestedV1,
)
from kantis_contracts.contacts import AudienceFrozenV1, AudienceRefusedV1, ReachCountedV1
from kantis_contracts.orders import OrderCard, OrderPaidV1, OrderPlacedV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id

YES = {
    "channel": "email",
    "purpose": "newsletter",
    "state": "granted",
    "source": "fair",
    "text_shown": "Yes, please",
}
PEOPLE = [
    {
        "full_name": "Kari Nes",
        "email": "kari@example.com",
        "country": "NO",
        "address": {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"},
    },
    {
        "full_name": "Nils Å",
        "email": "nils@example.com",
        "country": "SE",
        "preferred_name": "Nisse",
        "address": {"street": "Kungsgatan 2", "postal_code": "11122", "city": "Stockholm"},
    },
    {"full_name": "Ib Friis", "phone": "+45 32 12 34 56", "country": "DK"},
]
NORDIC = {
    "op": "any",
    "of": [{"op": "country", "is_in": ["NO", "SE"]}, {"op": "language", "is_in": ["da"]}],
}


async def make_people(client):
    ids = []
    for one in PEOPLE:
        answer = await client.post("/v1/contacts", json=one)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    return ids


async def make_segment(client, condition, name="Nordic"):
    answer = await client.post("/v1/segments", json={"name": name, "condition": condition})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_segment_counts_lists_and_explains_its_members(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari, nils, ib = await make_people(client)
        segment = await make_segment(client, {"op": "not", "of": {"op": "city", "is_in": ["OSLO"]}})
        count = await client.get(f"/v1/segments/{segment}/count")
        first = await client.get(f"/v1/segments/{segment}/members", params={"limit": 1})
        rest = await client.get(
            f"/v1/segments/{segment}/members", params={"cursor": first.json()["next_cursor"]}
        )
        why = await client.get(f"/v1/segments/{segment}/explain/{kari}")

    assert 2 == count.json()["count"]
    assert [nils, ib] == [one["person_id"] for one in first.json()["items"] + rest.json()["items"]]
    assert not why.json()["is_member"]
    assert [("not (city is OSLO)", False), ("city is OSLO", True)] == [
        (one["clause"], one["holds"]) for one in why.json()["clauses"]
    ]


async def test_a_preflight_counts_each_member_once_per_channel(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari, _, _ = await make_people(client)
        await client.post(f"/v1/contacts/{kari}/permissions", json=YES)
        segment = await make_segment(client, NORDIC)

    request = PreflightRequest(
        preflight_id=new_id(),
        campaign_id=new_id(),
        segment_id=segment,
        purpose=Purpose.NEWSLETTER,
        channels=(Channel.EMAIL, Channel.LETTER),
    )
    lost = request.model_copy(update={"preflight_id": new_id(), "segment_id": new_id()})
    await rig.publish(PreflightRequestedV1(items=(request, lost)))
    await rig.drain()

    counted = {one.preflight_id: one for one in rig.published(ReachCountedV1)}
    told = counted[request.preflight_id]
    assert (3, 2, 0, True) == (
        told.members,
        told.missing_preferred_name,
        told.likely_duplicates,
        told.is_known,
    )
    assert [
        (Channel.EMAIL, 1, {"no_consent": 1, "no_address": 1}),
        (Channel.LETTER, 0, {"wash_missing": 2, "no_address": 1}),
    ] == [(one.channel, one.reachable, one.excluded) for one in told.items]
    assert not counted[lost.preflight_id].is_known


async def test_an_audience_is_frozen_once_and_tells_why_each_member_is_in_it(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari, nils, _ = await make_people(client)
        for person in (kari, nils):
            await client.post(f"/v1/contacts/{person}/permissions", json=YES)
        segment = await make_segment(client, NORDIC)
    request = AudienceRequest(
        launch_id=new_id(),
        campaign_id=new_id(),
        segment_id=segment,
        purpose=Purpose.NEWSLETTER,
        channel=Channel.EMAIL,
    )

    await rig.publish(AudienceRequestedV1(items=(request,)))
    await rig.drain()
    async with rig.client() as client:
        await client.post(
            "/v1/contacts",
            json={"full_name": "Late", "email": "late@example.com", "language": "da"},
        )
    await rig.publish(AudienceRequestedV1(items=(request,)))
    await rig.drain()

    (frozen,) = rig.published(AudienceFrozenV1)
    assert (2, "Nordic", request.launch_id) == (frozen.total, frozen.segment_name, frozen.launch_id)
    assert {kari: ("country is NO or SE",), nils: ("country is NO or SE",)} == {
        str(one.person_id): one.because for one in frozen.items
    }


async def test_a_launch_that_reaches_nobody_is_refused_with_the_reason(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        await make_people(client)
        segment = await make_segment(client, NORDIC)
    nobody = AudienceRequest(
        launch_id=new_id(),
        campaign_id=new_id(),
        segment_id=segment,
        purpose=Purpose.NEWSLETTER,
        channel=Channel.EMAIL,
    )
    lost = nobody.model_copy(update={"launch_id": new_id(), "segment_id": new_id()})

    await rig.publish(
        AudienceRequestedV1(items=(nobody, lost)), AudienceRequestedV1(items=(nobody,))
    )
    await rig.drain()

    refused = rig.items(AudienceRefusedV1)
    assert {nobody.launch_id: "empty", lost.launch_id: "unknown_segment"} == {
        one.launch_id: one.reason for one in refused
    }
    assert 2 == len(refused)
    assert [] == rig.published(AudienceFrozenV1)


async def test_an_audience_of_thousands_travels_in_parts_that_add_up(rig_for):
    rig = await rig_for(SPEC)
    rows = "".join(f"P{n},p{n}@example.com,ja\n" for n in range(2_300))
    async with rig.client() as client:
        await client.post(
            "/v1/imports",
            params={"permission_source": "club"},
            headers={"Content-Type": "text/csv"},
            content="name,email,permission.email.newsletter\n" + rows,
        )
        await rig.drain()
        segment = await make_segment(client, {"op": "country", "is_in": ["NO"]})
    request = AudienceRequest(
        launch_id=new_id(),
        campaign_id=new_id(),
        segment_id=segment,
        purpose=Purpose.NEWSLETTER,
        channel=Channel.EMAIL,
    )

    await rig.publish(AudienceRequestedV1(items=(request,)))
    await rig.drain()

    parts = rig.published(AudienceFrozenV1)
    assert {2_300} == {part.total for part in parts}
    assert 3 <= len(parts)
    assert 2_300 == len({one.person_id for part in parts for one in part.items})


async def test_orders_count_in_conditions_in_whatever_order_they_are_told(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari, nils, _ = await make_people(client)
        wanted = {
            "op": "all",
            "of": [
                {
                    "op": "orders",
                    "measure": "total_minor",
                    "currency": "NOK",
                    "value": 30_000,
                    "paid_only": True,
                },
                {"op": "last_order", "within_days": 30},
            ],
        }
        segment = await make_segment(client, wanted)
    placed_at = rig.clock.now() - timedelta(days=2)
    order = OrderCard(
        order_id=new_id(),
        version=1,
        number="1",
        person_id=kari,
        total_minor=10_000,
        currency="NOK",
        changed_at=placed_at,
    )
    paid = order.model_copy(
        update={"version": 3, "total_minor": 30_000, "changed_at": rig.clock.now()}
    )
    other = order.model_copy(
        update={"order_id": new_id(), "person_id": UUID(nils), "total_minor": 90_000}
    )

    await rig.publish(OrderPaidV1(items=(paid,)))
    await rig.drain()
    await rig.publish(OrderPlacedV1(items=(order, other)))
    await rig.drain()

    async with rig.client() as client:
        members = (await client.get(f"/v1/segments/{segment}/members")).json()["items"]
    rig.clock.advance(timedelta(days=40))
    async with rig.client() as client:
        later = (await client.get(f"/v1/segments/{segment}/count")).json()
    pool = await rig.service.database.pool()
    assert [kari] == [one["person_id"] for one in members]
    assert 0 == later["count"]
    row = await pool.fetchrow(
        "SELECT version, total_minor, placed_at FROM order_fact WHERE order_id = $1", order.order_id
    )
    assert (3, 30_000, placed_at) == tuple(row)
