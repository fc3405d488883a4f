"""Orders, invoices and answers of people who were merged: they follow, and come back."""

import pytest

from kantis_contracts.contacts import PersonChangedV1, PersonMergedV1
from kantis_kit.db.aliases import LOOK_AGAIN_AFTER
from kantis_kit.testing.merges import Register, follow
from orders_svc.merges.usecases import take_merges
from orders_svc.people.usecases import take_persons

WHO = "SELECT person_id, merged_id FROM {} ORDER BY 1"
TABLES = ("sales_order", "invoice", "response")


async def answers_of(desk, count):
    """Let that many people order; every other order is shipped."""
    people = [desk.person() for _ in range(count)]
    product = await desk.product(stock=50)
    codes = [f"ABCDE{number}" for number in range(count)]
    for person, code in zip(people, codes, strict=True):
        await desk.rig.publish(PersonChangedV1(items=(person,)), desk.piece(person, product, code))
    await desk.drain()
    for number, code in enumerate(codes):
        answer = await desk.order(code=code)
        if number % 2:
            await desk.ship(answer["order_id"])
    await desk.drain()
    return [person.person_id for person in people]


@pytest.mark.parametrize("seed", range(2))
async def test_any_order_of_merges_ends_where_they_lead_and_undoing_all_gives_the_same_rows(
    desk, seed
):
    people = await answers_of(desk, 4)

    followed = await follow(desk.rig.service, take_merges, people, tables=TABLES, seed=seed)

    assert followed.expected == followed.found
    assert followed.before == followed.after


async def test_what_comes_under_an_old_id_stands_with_the_known_one_until_they_are_parted(desk):
    merged, known = desk.person(), desk.person(full_name="Kari Berg")
    product = await desk.product(stock=5)
    register = Register([merged.person_id, known.person_id], desk.rig.clock.now())
    told = PersonMergedV1(items=(register.merge(merged.person_id, known.person_id),))
    # The merge comes before the people, the piece of the old id after it.
    await desk.rig.publish(told)
    await desk.drain()
    await desk.rig.publish(
        PersonChangedV1(items=(merged, known)), desk.piece(merged, product, "ABCDE2")
    )
    await desk.drain()
    by_code = await desk.order(code="ABCDE2")
    await desk.order(person_id=str(merged.person_id), lines=[{"sku": "BLANKET", "quantity": 1}])
    await desk.ship(by_code["order_id"])
    both = [(known.person_id, merged.person_id)]

    listed = await desk.get("/v1/orders", person_id=str(merged.person_id))
    together = [await desk.rows(WHO.format(table)) for table in TABLES]
    undone = PersonMergedV1(items=(register.undo(merged.person_id),))
    await desk.rig.publish(undone, copies=2)
    await desk.rig.publish(told)
    await desk.drain()

    assert [str(known.person_id)] * 2 == [one["person_id"] for one in listed["items"]]
    assert [both * 2, both, both * 2] == together
    alone = [(merged.person_id, None)]
    assert [alone * 2, alone, alone * 2] == [await desk.rows(WHO.format(one)) for one in TABLES]


async def test_what_was_agreed_with_somebody_holds_for_the_known_one_until_they_are_parted(desk):
    merged, known = desk.person(), desk.person(full_name="Kari Berg")
    await desk.rig.publish(PersonChangedV1(items=(merged, known)))
    await desk.drain()
    old, new = (f"/v1/credit/customers/{one.person_id}" for one in (merged, known))
    business = {"debtor": "business", "credit_limit_minor": 30_000}
    await desk.client.put(old, json=business)
    register = Register([merged.person_id, known.person_id], desk.rig.clock.now())

    async def seen(*news):
        for one in news:
            await desk.rig.publish(PersonMergedV1(items=(one,)))
            await desk.drain()
        shown = [await desk.get(path) for path in (old, new)]
        return [(one["person_id"], one["debtor"], one["credit_limit_minor"]) for one in shown]

    together = await seen(register.merge(merged.person_id, known.person_id))
    parted = await seen(register.undo(merged.person_id))
    await desk.client.put(new, json={"credit_limit_minor": 50_000})
    own = await seen(register.merge(merged.person_id, known.person_id))

    first, second = str(merged.person_id), str(known.person_id)
    assert [(second, "business", 30_000)] * 2 == together
    assert [(first, "business", 30_000), (second, "consumer", None)] == parted
    assert [(second, "consumer", 50_000)] * 2 == own


async def test_a_parcel_that_has_not_left_goes_to_the_known_one(desk):
    merged, known = desk.person(), desk.person(full_name="Kari Berg")
    product = await desk.product(stock=5)
    await desk.rig.publish(
        PersonChangedV1(items=(merged, known)), desk.piece(merged, product, "ABCDE2")
    )
    await desk.drain()
    await desk.order(code="ABCDE2")
    register = Register([merged.person_id, known.person_id], desk.rig.clock.now())

    await desk.rig.publish(
        PersonMergedV1(items=(register.merge(merged.person_id, known.person_id),))
    )
    await desk.drain()

    (order,) = (await desk.get("/v1/orders/pick-list"))["orders"]
    assert "Kari Berg" == order["full_name"]


async def test_what_was_written_while_the_merge_was_follows_a_little_later(desk):
    (merged, known) = await answers_of(desk, 2)
    register = Register([merged, known], desk.rig.clock.now())
    await desk.rig.publish(PersonMergedV1(items=(register.merge(merged, known),)))
    await desk.drain()
    await desk.rows(
        "UPDATE sales_order SET person_id = $1, merged_id = NULL WHERE merged_id = $1", merged
    )

    desk.rig.clock.advance(LOOK_AGAIN_AFTER * 2)
    await desk.drain()

    assert {known} == {one[0] for one in await desk.rows(WHO.format("sales_order"))}


async def test_an_erased_person_takes_along_what_was_merged_into_them(desk):
    merged, known = desk.person(), desk.person()
    product = await desk.product(stock=5)
    await desk.rig.publish(
        PersonChangedV1(items=(merged, known)), desk.piece(merged, product, "ABCDE2")
    )
    await desk.drain()
    await desk.order(code="ABCDE2", note="ring twice")
    register = Register([merged.person_id, known.person_id], desk.rig.clock.now())

    await desk.rig.publish(
        PersonMergedV1(items=(register.merge(merged.person_id, known.person_id),))
    )
    await desk.drain()
    async with desk.tx() as tx:
        await take_persons(tx, [known.model_copy(update={"version": 2, "is_erased": True})])
    await desk.rig.publish(
        PersonChangedV1(items=(known.model_copy(update={"version": 3, "is_erased": True}),))
    )
    await desk.drain()

    assert [("",)] == await desk.rows("SELECT note FROM response")
