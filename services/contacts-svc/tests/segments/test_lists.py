"""Static lists, segments that name others, and conditions that are tried before they are kept."""

import pytest

from contacts_svc.main import SPEC
from kantis_kit.ids import new_id

NO = {"op": "country", "is_in": ["NO"]}


async def make_people(client, number=3):
    ids = []
    for n in range(number):
        answer = await client.post(
            "/v1/contacts",
            json={"full_name": f"P{n}", "email": f"p{n}@example.com", "country": "NO"},
        )
        ids.append(answer.json()["id"])
    return ids


async def make(client, **body):
    return await client.post("/v1/segments", json={"name": "S", **body})


async def test_people_are_put_on_a_list_and_taken_off_and_the_list_is_a_segment(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        a, b, c = await make_people(client)
        fair = (await make(client, kind="list")).json()
        members = f"/v1/segments/{fair['id']}/members"
        first = await client.post(members, json={"person_ids": [a, b]})
        again = await client.post(members, json={"person_ids": [b, c]})
        off = [await client.delete(f"{members}/{a}"), await client.delete(f"{members}/{a}")]
        shown = (await client.get(members)).json()["items"]
        why = (await client.get(f"/v1/segments/{fair['id']}/explain/{b}")).json()

    assert ("list", "on this list") == (fair["kind"], fair["in_words"])
    assert {"added": 2, "already_there": 0} == first.json()
    assert {"added": 1, "already_there": 1} == again.json()
    assert [204, 204] == [answer.status_code for answer in off]
    assert [b, c] == [one["person_id"] for one in shown]
    assert why["is_member"]
    assert why["clauses"][0]["facts"]["source"].startswith("api ")


async def test_a_stranger_on_a_list_is_refused_and_nobody_is_put_on_it(rig_for):
    rig = await rig_for(SPEC, start=False)
    stranger = str(new_id())
    async with rig.client() as client:
        (a,) = await make_people(client, 1)
        fair = (await make(client, kind="list")).json()["id"]
        refused = await client.post(
            f"/v1/segments/{fair}/members", json={"person_ids": [a, stranger]}
        )
        count = (await client.get(f"/v1/segments/{fair}/count")).json()["count"]

    assert (422, "contacts-unknown") == (refused.status_code, refused.json()["type"][-16:])
    assert [stranger] == refused.json()["person_ids"]
    assert 0 == count


async def test_a_segment_with_a_condition_takes_no_members_by_hand(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        (a,) = await make_people(client, 1)
        norway = (await make(client, condition=NO)).json()["id"]
        put = await client.post(f"/v1/segments/{norway}/members", json={"person_ids": [a]})
        off = await client.delete(f"/v1/segments/{norway}/members/{a}")
        turned = await client.put(
            f"/v1/segments/{norway}", json={"name": "S", "kind": "list"}, headers={"If-Match": "*"}
        )

    assert [409, 409, 409] == [put.status_code, off.status_code, turned.status_code]


@pytest.mark.parametrize("body", [{"kind": "list", "condition": NO}, {}, {"kind": "rule"}])
async def test_a_list_has_no_condition_and_a_condition_has_one(rig_for, body):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        answer = await make(client, **body)

    assert 422 == answer.status_code


async def test_segments_name_others_and_their_conditions_are_explained(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        a, b = await make_people(client, 2)
        fair = (await make(client, kind="list")).json()["id"]
        await client.post(f"/v1/segments/{fair}/members", json={"person_ids": [a]})
        guests = (
            await make(client, name="Guests", condition={"op": "on_list", "list_id": fair})
        ).json()
        both = (
            await make(
                client,
                condition={"op": "all", "of": [NO, {"op": "segment", "segment_id": guests["id"]}]},
            )
        ).json()["id"]
        members = (await client.get(f"/v1/segments/{both}/members")).json()["items"]
        why = (await client.get(f"/v1/segments/{both}/explain/{b}")).json()
        in_use = await client.delete(f"/v1/segments/{guests['id']}")
        list_in_use = await client.delete(f"/v1/segments/{fair}")

    assert [a] == [one["person_id"] for one in members]
    assert [
        (0, "all of"),
        (1, "country is NO"),
        (1, "in segment “Guests”"),
        (2, f"on list {fair}"),
    ] == [(one["depth"], one["clause"]) for one in why["clauses"]]
    assert [409, 409] == [in_use.status_code, list_in_use.status_code]
    assert [both] == in_use.json()["segment_ids"]


async def test_segments_that_depend_on_themselves_are_refused(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        first = (await make(client, condition=NO)).json()["id"]
        second = (await make(client, condition={"op": "segment", "segment_id": first})).json()["id"]
        match = {"If-Match": "*"}
        self_ = await client.put(
            f"/v1/segments/{first}",
            json={
                "name": "S",
                "condition": {"op": "not", "of": {"op": "segment", "segment_id": first}},
            },
            headers=match,
        )
        circle = await client.put(
            f"/v1/segments/{first}",
            json={"name": "S", "condition": {"op": "segment", "segment_id": second}},
            headers=match,
        )
        unknown = await make(client, condition={"op": "segment", "segment_id": str(new_id())})
        no_list = await make(client, condition={"op": "on_list", "list_id": first})
        no_field = await make(client, condition={"op": "field", "key": "boat"})

    assert [409, 409] == [self_.status_code, circle.status_code]
    assert self_.json()["type"].endswith("segment-circle")
    assert [422, 422, 422] == [one.status_code for one in (unknown, no_list, no_field)]
    assert "boat" in no_field.json()["detail"]


async def test_segments_that_grow_beyond_the_limit_by_naming_each_other_are_refused(rig_for):
    rig = await rig_for(SPEC, start=False)
    answers = []
    async with rig.client() as client:
        condition = {"op": "all", "of": [NO] * 9}
        for _ in range(5):
            answer = await make(client, condition=condition)
            answers.append(answer.status_code)
            if answer.status_code != 201:
                break
            name = {"op": "segment", "segment_id": answer.json()["id"]}
            condition = {"op": "all", "of": [name] * 9}

    assert [201, 201, 201, 422] == answers
    assert answer.json()["type"].endswith("invalid-condition")


async def test_a_condition_is_tried_without_being_kept(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        people = await make_people(client, 22)
        tried = await client.post("/v1/segments/preview", json={"condition": NO})
        kept = (await client.get("/v1/segments")).json()

    assert (200, 22, "country is NO") == (
        tried.status_code,
        tried.json()["count"],
        tried.json()["in_words"],
    )
    assert people[:20] == [one["person_id"] for one in tried.json()["sample"]]
    assert tried.json()["cost"] > 0
    assert [] == kept


async def test_a_condition_that_costs_too_much_is_neither_tried_nor_kept(rig_for):
    rig = await rig_for(SPEC, start=False, settings={"contacts": {"segment_max_cost": 0.5}})
    async with rig.client() as client:
        tried = await client.post("/v1/segments/preview", json={"condition": NO})
        kept = await make(client, condition=NO)

    assert [422, 422] == [tried.status_code, kept.status_code]
    assert tried.json()["type"].endswith("condition-too-costly")
    assert tried.json()["limit"] == 0.5
