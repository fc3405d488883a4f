"""What happened between people and the company, as other systems tell it."""

import asyncio
from datetime import timedelta

import pytest

from contacts_svc.main import SPEC
from contacts_svc.touched import Family
from kantis_kit.ids import new_id

KARI = {"full_name": "Kari Nes", "email": "kari@example.com"}
OLA = {"full_name": "Ola Nes", "email": "ola@example.com"}


async def make(client, body):
    answer = await client.post("/v1/contacts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def tell(client, *items):
    return await client.post("/v1/interactions", json={"items": list(items)})


def call(contact_id, number=None, **more):
    return {"contact_id": contact_id, "kind": "call", "external_id": number, **more}


async def test_a_batch_is_kept_and_read_back_the_newest_first(rig_for):
    rig = await rig_for(SPEC)
    now = rig.clock.now()

    async with rig.client(caller="phones") as client:
        kari, ola = await make(client, KARI), await make(client, OLA)
        answer = await tell(
            client,
            call(kari, "1", topic="late", occurred_at=(now - timedelta(days=2)).isoformat()),
            {"contact_id": kari, "kind": "complaint", "direction": "in", "channel": "phone"},
            call(ola, "2"),
        )
        mine = (await client.get(f"/v1/contacts/{kari}/interactions")).json()["items"]
        calls = (await client.get("/v1/interactions", params={"kind": "call"})).json()["items"]
        recent = await client.get(
            f"/v1/contacts/{kari}/interactions",
            params={"since": (now - timedelta(days=1)).isoformat()},
        )

    assert answer.status_code == 201, answer.text
    assert [True, True, True] == [one["is_new"] for one in answer.json()]
    assert [("complaint", "in", "phone"), ("call", "", "")] == [
        (one["kind"], one["direction"], one["channel"]) for one in mine
    ]
    assert {"phones"} == {one["actor"] for one in mine}
    assert [ola, kari] == [one["person_id"] for one in calls]
    assert ["complaint"] == [one["kind"] for one in recent.json()["items"]]


async def test_what_a_source_tells_again_is_kept_once_also_when_it_comes_at_the_same_moment(
    rig_for,
):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari = await make(client, KARI)
        first = await tell(client, call(kari, "1"), call(kari, "1"), call(kari, "2"))
        again = await asyncio.gather(
            *(tell(client, call(kari, "2"), call(kari, "1"), call(kari, "3")) for _ in range(5))
        )
        elsewhere = await tell(client, call(kari, "1", source="shop"))
        kept = (await client.get("/v1/interactions")).json()["items"]

    one, same, two = first.json()
    assert (one["id"], True, False) == (same["id"], one["is_new"], same["is_new"])
    for answer in again:
        assert [two["id"], one["id"]] == [told["id"] for told in answer.json()[:2]]
    assert 1 == sum(answer.json()[2]["is_new"] for answer in again)
    assert elsewhere.json()[0]["is_new"]
    assert 4 == len(kept)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "in the future"),
        ({"contact_id": str(new_id())}, "no such contact"),
        ({"text": "fnr 010190 12480"}, "fødselsnummer"),
        ({"topic": "CPR 211062-5629"}, "CPR"),
        ({"kind": "dance"}, "kind"),
        ({"text": "x" * 4_001}, "4000"),
        ({"place": "a\x00b"}, "NUL"),
        ({"occurred_at": "2026-01-01T00:00:00"}, "timezone"),
    ],
)
async def test_one_that_cannot_be_kept_refuses_all_and_names_its_place(rig_for, change, said):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari = await make(client, KARI)
        answer = await tell(client, call(kari, "1"), {**call(kari, "2"), **change})
        kept = (await client.get("/v1/interactions")).json()["items"]

    assert 422 == answer.status_code
    assert said in answer.text
    assert "items" in answer.json()["errors"][0]["field"] or "items" in answer.text
    assert [] == kept


async def test_none_and_more_than_a_thousand_are_refused(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari = await make(client, KARI)
        none = await tell(client)
        many = await tell(client, *(call(kari, str(n)) for n in range(1_001)))
        full = await tell(client, *(call(kari, str(n)) for n in range(1_000)))

    assert [422, 422, 201] == [one.status_code for one in (none, many, full)]


async def test_pages_follow_each_other_without_gap_or_repeat(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari = await make(client, KARI)
        # All at one moment: only the id tells them apart.
        await tell(client, *(call(kari, str(n)) for n in range(7)))
        seen, cursor = [], None
        while True:
            query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
            page = (await client.get("/v1/interactions", params=query)).json()
            seen += [one["external_id"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        strange = await client.get("/v1/interactions", params={"cursor": "abc"})

    assert sorted(str(n) for n in range(7)) == sorted(seen)
    assert 422 == strange.status_code


async def test_a_mistake_is_taken_back_and_both_touch_the_person(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        kari = await make(client, KARI)
        told = (await tell(client, call(kari, "1"))).json()[0]["id"]
        gone = await client.delete(f"/v1/interactions/{told}")
        again = await client.delete(f"/v1/interactions/{told}")
        left = (await client.get(f"/v1/contacts/{kari}/interactions")).json()["items"]
        nobody = await client.get(f"/v1/contacts/{new_id()}/interactions")

    pool = await rig.service.database.pool()
    touched = await pool.fetchval(
        "SELECT count(*) FROM touched_person WHERE families = $1", int(Family.INTERACTION)
    )
    assert [204, 404, 404] == [gone.status_code, again.status_code, nobody.status_code]
    assert [] == left
    assert 2 == touched
