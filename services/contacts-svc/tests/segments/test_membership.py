"""Membership that is kept: it follows facts, time and new conditions."""

from datetime import timedelta

import pytest
from sqlalchemy import literal, select
from sqlalchemy.exc import DBAPIError

from contacts_svc.main import SPEC
from contacts_svc.segments import looking, queries
from contacts_svc.segments.keeper import Keeper, has_work
from contacts_svc.segments.schemas import Announces
from contacts_svc.touched import Family
from kantis_contracts.orders import OrderCard, OrderPlacedV1
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import read, write

NO = {"op": "country", "is_in": ["NO"]}
YOUNG = {"op": "created", "within_days": 7}


async def make_person(client, name, country="NO"):
    answer = await client.post(
        "/v1/contacts",
        json={"full_name": name, "email": f"{name}@example.com", "country": country},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def make_segment(client, condition, name="S"):
    answer = await client.post("/v1/segments", json={"name": name, "condition": condition})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def settle(rig, keeper=None):
    """Let the keeper work until nothing is left."""
    keeper = keeper or Keeper()
    for _ in range(1_000):
        async with write(rig.service.scope) as tx:
            if not await keeper.keep(tx):
                return
    raise AssertionError


async def kept(rig, segment_id):
    pool = await rig.service.database.pool()
    rows = await pool.fetch(
        "SELECT person_id FROM segment_member WHERE segment_id = $1", segment_id
    )
    return {str(row[0]) for row in rows}


async def test_membership_follows_a_change_and_says_that_nothing_waits(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        segment = await make_segment(client, NO)
        kari = await make_person(client, "kari")
        ib = await make_person(client, "ib", "DK")

        async def is_kept():
            found = await client.get(f"/v1/contacts/{kari}/segments")
            return [segment] == [one["segment_id"] for one in found.json()]

        await eventually(is_kept, message="membership did not follow")
        state = (await client.get(f"/v1/segments/{segment}")).json()["membership"]
        others = (await client.get(f"/v1/contacts/{ib}/segments")).json()
        nobody = await client.get(f"/v1/contacts/{new_id()}/segments")

    assert (1, True, 0.0) == (state["members"], state["is_built"], state["lag_seconds"])
    assert [] == others
    assert 404 == nobody.status_code


async def test_time_alone_brings_a_person_out_of_a_segment_and_the_lag_is_told_until_then(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        kari = await make_person(client, "kari")
        young = await make_segment(client, YOUNG)
        old = await make_segment(client, {"op": "not", "of": YOUNG})
        unbuilt = (await client.get(f"/v1/segments/{young}")).json()["membership"]
        await settle(rig)
        before = [await kept(rig, young), await kept(rig, old)]

    rig.clock.advance(timedelta(days=7))
    await settle(rig)
    at_the_edge = await kept(rig, young)
    rig.clock.advance(timedelta(seconds=5))
    async with rig.client() as client:
        lag = (await client.get(f"/v1/segments/{young}")).json()["membership"]["lag_seconds"]
        await settle(rig)
        after = [await kept(rig, young), await kept(rig, old)]
        settled = (await client.get(f"/v1/segments/{young}")).json()["membership"]

    assert not unbuilt["is_built"]
    assert [{kari}, set()] == before
    assert {kari} == at_the_edge
    assert 4 < lag <= 5
    assert [set(), {kari}] == after
    assert 0.0 == settled["lag_seconds"]


async def test_a_changed_condition_is_built_anew_in_slices_also_where_others_name_it(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        people = [await make_person(client, f"p{n}", ("NO", "SE")[n % 2]) for n in range(7)]
        inner = await make_segment(client, NO)
        outer = await make_segment(
            client, {"op": "not", "of": {"op": "segment", "segment_id": inner}}
        )
        keeper = Keeper(batch=2, slice_size=3)
        await settle(rig, keeper)
        first = [await kept(rig, inner), await kept(rig, outer)]

        changed = await client.put(
            f"/v1/segments/{inner}",
            json={"name": "S", "condition": {"op": "country", "is_in": ["SE"]}},
            headers={"If-Match": '"1"'},
        )
        await settle(rig, keeper)
        then = [await kept(rig, inner), await kept(rig, outer)]

    assert 200 == changed.status_code, changed.text
    assert [set(people[::2]), set(people[1::2])] == first
    assert [set(people[1::2]), set(people[::2])] == then


async def test_a_closed_segment_leaves_nothing_behind(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        for n in range(5):
            await make_person(client, f"p{n}")
        segment = await make_segment(client, YOUNG)
        await settle(rig)
        await client.delete(f"/v1/segments/{segment}")
        await settle(rig, Keeper(slice_size=2))

    pool = await rig.service.database.pool()
    left = await pool.fetchval(
        "SELECT (SELECT count(*) FROM segment_member) + (SELECT count(*) FROM segment_due)"
        " + (SELECT count(*) FROM segment_state)"
    )
    assert 0 == left


async def test_the_erased_are_in_no_segment(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        kari = await make_person(client, "kari")
        segment = await make_segment(
            client, {"op": "not", "of": {"op": "last_order", "within_days": 9}}
        )
        await settle(rig)
        before = await kept(rig, segment)
        await client.delete(f"/v1/contacts/{kari}")
        await settle(rig)

    assert {kari} == before
    assert set() == await kept(rig, segment)


async def test_facts_that_a_segment_does_not_read_leave_it_alone_and_those_it_reads_do_not(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        kari = await make_person(client, "kari")
        buyers = await make_segment(client, {"op": "orders", "value": 1})
    card = OrderCard(
        order_id=new_id(),
        version=1,
        number="1",
        person_id=kari,
        total_minor=10_000,
        currency="NOK",
        changed_at=rig.clock.now(),
    )

    await rig.publish(OrderPlacedV1(items=(card,)))

    async def is_in():
        return await kept(rig, buyers) == {kari}

    await eventually(is_in, message="membership did not follow")


async def test_what_was_taken_by_a_pass_that_failed_is_taken_again(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        segment = await make_segment(client, NO)
        await settle(rig)
        kari = await make_person(client, "kari")

        async def fail_after_the_work():
            async with write(rig.service.scope) as tx:
                assert await Keeper().keep(tx)
                await tx.execute(select(literal(1) / literal(0)))

        with pytest.raises(DBAPIError):
            await fail_after_the_work()
        async with read(rig.service.scope) as tx:
            waits = await has_work(tx)
        nobody = await kept(rig, segment)
        await settle(rig)

    assert waits
    assert set() == nobody
    assert {kari} == await kept(rig, segment)


async def test_segments_that_do_not_fit_into_one_statement_follow_too(rig_for, monkeypatch):
    monkeypatch.setattr(looking, "_TOGETHER", 2)
    rig = await rig_for(SPEC, start=False)
    keeper = Keeper()
    async with rig.client() as client:
        segments = [await make_segment(client, NO) for _ in range(3)]
        segments.append(await make_segment(client, YOUNG))
        await settle(rig, keeper)
        kari = await make_person(client, "kari")
        await settle(rig, keeper)
        then = [await kept(rig, one) for one in segments]
    rig.clock.advance(timedelta(days=8))
    async with rig.client() as client:
        ola = await make_person(client, "ola")
        await settle(rig, keeper)  # by the statements that the keeper remembers, at another time

    assert [{kari}] * 4 == then
    assert [{kari, ola}] * 3 + [{ola}] == [await kept(rig, one) for one in segments]


async def test_new_conditions_share_a_pass_until_it_has_written_enough(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        people = {await make_person(client, name) for name in ("kari", "ola")}
        await settle(rig)
        nobody = await make_segment(client, {"op": "country", "is_in": ["SE"]})
        segments = [nobody, *[await make_segment(client, NO) for _ in range(2)]]
    keeper = Keeper(slice_size=2)

    async with write(rig.service.scope) as tx:
        await keeper.keep(tx)
    first = [await kept(rig, one) for one in segments]
    await settle(rig, keeper)

    assert [set(), people, set()] == first
    assert [set(), people, people] == [await kept(rig, one) for one in segments]


def test_a_batch_is_many_small_conditions_or_one_large_one():
    sizes = [1] * 30 + [5_000, 1_500, 600]

    def make(size):
        head = (new_id(), "S", 1, Announces.NOTHING, Announces.NOTHING, 1, 1, None, "")
        return looking.Kept(*head, queries.parse(NO), Family.PROFILE, size)

    batches = looking.batched([make(size) for size in sizes])

    assert [[1] * 25, [1] * 5, [5_000], [1_500], [600]] == [
        [one.size for one in batch] for batch in batches
    ]
    assert 4 == looking.size_of(queries.parse({"op": "country", "is_in": ["NO", "SE", "DK"]}))


async def test_only_one_keeper_works_at_a_time(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        await make_segment(client, NO)
        await make_person(client, "kari")

    async with write(rig.service.scope) as first, write(rig.service.scope) as second:
        worked = [await Keeper().keep(first), await Keeper().keep(second)]

    assert [True, False] == worked
