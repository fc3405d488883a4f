"""Frozen audiences, page by page, and explanations with their facts."""

from datetime import timedelta

from contacts_svc.main import SPEC
from contacts_svc.segments import model
from contacts_svc.segments.usecases import freezing
from kantis_contracts.campaign import AudienceRequest, AudienceRequestedV1
from kantis_contracts.contacts import AudienceFrozenV1
from kantis_contracts.orders import OrderCard, OrderPlacedV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id


async def make_people(client, number):
    ids = []
    for n in range(number):
        answer = await client.post(
            "/v1/contacts",
            json={
                "full_name": f"P{n}",
                "phone": f"+47 900 00 {n:03}",
                "country": "NO",
                "recipient_kind": "sole_trader",
                "language": ("nb", "sv")[n % 2],
            },
        )
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    return ids


async def test_a_snapshot_is_read_page_by_page_and_stays_as_it_was(rig_for, monkeypatch):
    monkeypatch.setattr(freezing, "PAGE", 3)
    monkeypatch.setattr(freezing, "PAGES_AT_ONCE", 2)
    monkeypatch.setattr("contacts_svc.segments.queries.snapshots.PAGE", 3)
    rig = await rig_for(SPEC)
    condition = {
        "op": "any",
        "of": [{"op": "country", "is_in": ["NO"]}, {"op": "language", "is_in": ["sv"]}],
    }
    async with rig.client() as client:
        people = await make_people(client, 7)
        segment = (
            await client.post("/v1/segments", json={"name": "S", "condition": condition})
        ).json()["id"]
    request = AudienceRequest(
        launch_id=new_id(),
        campaign_id=new_id(),
        segment_id=segment,
        purpose=Purpose.OFFERS,
        channel=Channel.PHONE,
    )
    await rig.publish(AudienceRequestedV1(items=(request,)))
    await rig.drain()

    async with rig.client() as client:
        await make_people(client, 0)
        url = f"/v1/segments/snapshots/{request.launch_id}"
        pages = [(await client.get(url)).json()]
        while cursor := pages[-1]["next_cursor"]:
            pages.append((await client.get(url, params={"cursor": cursor})).json())
        strange = await client.get(url, params={"cursor": "abc"})
        nothing = await client.get(f"/v1/segments/snapshots/{new_id()}")

    items = [one for page in pages for one in page["items"]]
    assert [3, 3, 1] == [len(page["items"]) for page in pages]
    assert people == [one["person_id"] for one in items]
    assert 7 == pages[0]["total"]
    assert ["country is NO"] == items[0]["because"]
    assert ["country is NO", "language is sv"] == items[1]["because"]
    told = rig.published(AudienceFrozenV1)
    assert people == [str(one.person_id) for event in told for one in event.items]
    assert [one["because"] for one in items] == [
        list(one.because) for event in told for one in event.items
    ]
    assert [(3, None), (3, None), (1, None)] == [
        (len(event.items), event.items[0].route) for event in told
    ]
    assert {("S", 7, request.launch_id, request.campaign_id)} == {
        (event.segment_name, event.total, event.launch_id, event.campaign_id) for event in told
    }
    assert [422, 404] == [strange.status_code, nothing.status_code]


async def test_a_member_is_told_every_clause_where_there_is_no_alternative_and_those_that_hold_where_there_is(
    rig_for,
):
    norwegian = {"op": "country", "is_in": ["NO"]}
    swedish = {"op": "language", "is_in": ["sv"]}
    nowhere = {"op": "city", "is_in": ["Nowhere"]}
    plain = {"op": "all", "of": [norwegian, swedish]}
    mixed = {"op": "all", "of": [norwegian, {"op": "any", "of": [swedish, nowhere]}]}
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        _, kari = await make_people(client, 2)
        segments = [
            (await client.post("/v1/segments", json={"name": "S", "condition": one})).json()["id"]
            for one in (plain, mixed)
        ]
    requests = tuple(
        AudienceRequest(
            launch_id=new_id(),
            campaign_id=new_id(),
            segment_id=one,
            purpose=Purpose.OFFERS,
            channel=Channel.PHONE,
        )
        for one in segments
    )
    await rig.publish(AudienceRequestedV1(items=requests))
    await rig.drain()

    async with rig.client() as client:
        urls = [f"/v1/segments/snapshots/{one.launch_id}" for one in requests]
        read = [(await client.get(url)).json()["items"] for url in urls]
    pool = await rig.service.database.pool()
    query = "SELECT masks FROM frozen_page WHERE launch_id = $1"
    masks = [await pool.fetchval(query, one.launch_id) for one in requests]

    why = {"person_id": kari, "because": ["country is NO", "language is sv"]}
    assert [[why], [why]] == read
    assert [[], [0b011]] == masks


def test_a_page_fits_into_one_event():
    assert 1_000 == model.PAGE


async def test_an_explanation_names_the_facts_that_decide(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        (kari,) = await make_people(client, 1)
        condition = {
            "op": "all",
            "of": [
                {"op": "orders", "value": 2, "within_days": 30},
                {"op": "interactions", "kinds": ["complaint"], "value": 3, "within_days": 90},
                {"op": "permission", "channel": "email", "purpose": "newsletter"},
                {"op": "country", "is_in": ["NO"]},
            ],
        }
        segment = (
            await client.post("/v1/segments", json={"name": "S", "condition": condition})
        ).json()["id"]
    placed = rig.clock.now() - timedelta(days=1)
    cards = [
        OrderCard(
            order_id=new_id(),
            version=1,
            number=str(n),
            person_id=kari,
            total_minor=500,
            currency="NOK",
            changed_at=placed + timedelta(hours=n),
        )
        for n in range(2)
    ]
    await rig.publish(OrderPlacedV1(items=tuple(cards)))
    await rig.drain()

    async with rig.client() as client:
        why = (await client.get(f"/v1/segments/{segment}/explain/{kari}")).json()

    _, orders, calls, permission, country = [one["facts"] for one in why["clauses"]]
    assert 2 == orders["count"]
    assert [str(card.order_id) for card in reversed(cards)] == orders["newest_ids"]
    assert orders["first_at"].startswith(placed.isoformat()[:16])
    assert (0, []) == (calls["count"], calls["newest_ids"])
    assert {"state": "none"} == permission
    assert {"country": "NO"} == country
    assert [False, True, False, False, True] == [one["holds"] for one in why["clauses"]]
