"""Segments that tell who comes and goes, and what they do not tell."""

import pytest

from contacts_svc.main import SPEC
from contacts_svc.segments.keeper import Keeper
from kantis_contracts.contacts import SegmentChange, SegmentChangedV1
from kantis_kit.tx import write

NO = {"op": "country", "is_in": ["NO"]}
SE = {"op": "country", "is_in": ["SE"]}


async def make_person(client, name, country="NO"):
    body = {"full_name": name, "email": f"{name}@example.com", "country": country}
    answer = await client.post("/v1/contacts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def make_segment(client, condition, **more):
    body = {"name": "S", "condition": condition, **more}
    answer = await client.post("/v1/segments", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def move(client, person, country):
    found = await client.get(f"/v1/contacts/{person}")
    answer = await client.patch(
        f"/v1/contacts/{person}",
        json={"country": country},
        headers={"If-Match": found.headers["ETag"]},
    )
    assert answer.status_code == 200, answer.text


async def settle(rig):
    keeper = Keeper(batch=2, newest=1, slice_size=2)
    for _ in range(1_000):
        async with write(rig.service.scope) as tx:
            if not await keeper.keep(tx):
                return
    raise AssertionError


async def staged(rig):
    pool = await rig.service.database.pool()
    rows = await pool.fetch(
        "SELECT data FROM outbox WHERE type = $1 ORDER BY seq", SegmentChangedV1.type
    )
    return [SegmentChangedV1.model_validate_json(row[0]) for row in rows]


async def told(rig):
    return [
        (event.members, str(item.person_id) if item.person_id else None, item.change)
        for event in await staged(rig)
        for item in event.items
    ]


async def live(rig_for, announces):
    """Build a segment of three, then let one come and one go, and change its condition."""
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        kari, ola, per = [await make_person(client, name) for name in ("kari", "ola", "per")]
        ib = await make_person(client, "ib", "SE")
        segment = await make_segment(client, NO, announces=announces)
        await settle(rig)
        built = await told(rig)
        await move(client, ib, "NO")
        await settle(rig)
        await move(client, ola, "SE")
        await settle(rig)
        moved = (await told(rig))[len(built) :]
        changed = await client.put(
            f"/v1/segments/{segment['id']}",
            json={"name": "S", "condition": SE, "announces": announces},
            headers={"If-Match": '"1"'},
        )
        await settle(rig)
    assert announces == changed.json()["announces"]
    rebuilt = (await told(rig))[len(built) + len(moved) :]
    return (kari, ola, per, ib), built, moved, rebuilt, rig


async def test_changes_are_told_from_when_it_is_built_and_of_a_build_only_how_many(rig_for):
    (_, ola, _, ib), built, moved, rebuilt, rig = await live(rig_for, "changes")

    assert [(3, None, SegmentChange.BUILT)] == built
    assert [(4, ib, SegmentChange.ENTERED), (3, ola, SegmentChange.LEFT)] == moved
    assert [(1, None, SegmentChange.BUILT)] == rebuilt
    events = await staged(rig)
    assert [1, 2, 3, 4] == [one.revision for one in events]
    assert [1, 1, 1, 2] == [one.version for one in events]


async def test_everything_is_told_when_it_is_wanted_also_of_a_first_build(rig_for):
    (kari, ola, per, ib), built, moved, rebuilt, _ = await live(rig_for, "everything")

    came = {person for _, person, change in built if change is SegmentChange.ENTERED}
    assert {kari, ola, per} == came
    assert (3, None, SegmentChange.BUILT) == built[-1]
    assert [ib, ola] == [person for _, person, _ in moved]
    assert {kari, per, ib} == {one for _, one, change in rebuilt if change is SegmentChange.LEFT}
    assert {ola} == {one for _, one, change in rebuilt if change is SegmentChange.ENTERED}


async def test_a_segment_tells_nothing_unless_it_is_asked_to(rig_for):
    *_, rig = await live(rig_for, "nothing")

    assert [] == await told(rig)


@pytest.mark.parametrize("announces", ["always", "", None, 1])
async def test_another_word_is_refused(rig_for, announces):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        answer = await client.post(
            "/v1/segments", json={"name": "S", "condition": NO, "announces": announces}
        )

    assert 422 == answer.status_code
    assert "announces" in answer.json()["detail"]
