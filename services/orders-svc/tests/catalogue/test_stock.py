"""Goods are never promised twice."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import ProductChangedV1, ResponseKind, ResponseWay
from kantis_kit.tx import write
from orders_svc.main import SPEC
from orders_svc.people.usecases import take_persons
from orders_svc.responses.usecases import ResponseDraft, register_responses

CONNECTIONS = 20
STOCK = """
    SELECT p.on_hand, p.reserved,
        (SELECT coalesce(sum(quantity), 0) FROM stock_movement m WHERE m.product_id = p.product_id),
        (SELECT coalesce(sum(quantity), 0) FROM reservation r
         WHERE r.product_id = p.product_id AND state = 'held')
    FROM product p
"""


@pytest.mark.parametrize(
    ("buyers", "units"), [(200, 60), pytest.param(1_000, 300, marks=pytest.mark.slow)]
)
async def test_of_many_buyers_at_once_exactly_as_many_get_one_as_there_are(
    rig_for, desk_of, buyers, units
):
    rig = await rig_for(SPEC, start=False, settings={"orders": {"pool_size": CONNECTIONS}})
    async with desk_of(rig) as desk:
        product = await desk.product(units)
        person = desk.person()
        async with write(rig.service.scope) as tx:
            await take_persons(tx, [person])
        gate = asyncio.Semaphore(CONNECTIONS)

        async def buy() -> str:
            async with gate, write(rig.service.scope) as tx:
                draft = ResponseDraft(
                    ResponseKind.ORDER,
                    ResponseWay.KEYED,
                    person_id=person.person_id,
                    lines=((UUID(product["product_id"]), 1),),
                )
                (registered,) = await register_responses(tx, [draft])
                return registered.response.next_step

        steps = Counter(await asyncio.gather(*(buy() for _ in range(buyers))))

        assert {"ship_order": units, "back_order": buyers - units} == steps
        assert [(units, units, units, units)] == await desk.rows(STOCK)
        assert [(units,)] == await desk.rows("SELECT count(*) FROM sales_order")


async def test_orders_for_the_same_two_products_in_either_order_never_block_each_other(desk):
    lamp = await desk.product(50, sku="LAMP")
    vase = await desk.product(50, sku="VASE")
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()

    async def buy(*skus: str) -> str:
        lines = [{"sku": sku} for sku in skus]
        answer = await desk.order(person_id=str(person.person_id), lines=lines)
        return answer["next_step"]

    steps = await asyncio.gather(
        *(buy("LAMP", "VASE") if turn % 2 else buy("VASE", "LAMP") for turn in range(20))
    )

    assert ["ship_order"] * 20 == steps
    assert [20, 20] == [
        (await desk.get(f"/v1/products/{one['product_id']}"))["reserved"] for one in (lamp, vase)
    ]


async def test_an_order_is_placed_whole_or_not_at_all(desk):
    await desk.product(1, sku="LAMP")
    await desk.product(0, sku="VASE")
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()

    answer = await desk.order(
        person_id=str(person.person_id), lines=[{"sku": "LAMP"}, {"sku": "VASE"}]
    )

    assert (None, "back_order", {"VASE": 0}) == (
        answer["order_id"],
        answer["next_step"],
        answer["available"],
    )
    assert [(0,)] == await desk.rows("SELECT sum(reserved) FROM product")


async def test_stock_that_is_reserved_cannot_be_taken_out(desk):
    product = await desk.ready("ABCDE2", stock=5)
    await desk.order(code="ABCDE2", quantity=3)
    path = f"/v1/products/{product['product_id']}/stock-movements"

    refused = await desk.client.post(path, json={"quantity": -3, "reason": "broken"})
    taken = await desk.client.post(path, json={"quantity": -2, "reason": "broken"})
    nothing = await desk.client.post(path, json={"quantity": 0, "reason": "nothing"})

    assert (409, "urn:kantis:problem:stock-too-low") == (
        refused.status_code,
        refused.json()["type"],
    )
    assert (3, 3, 0) == tuple(taken.json()[key] for key in ("on_hand", "reserved", "available"))
    assert 409 == nothing.status_code
    assert [(3, 3, 3, 3)] == await desk.rows(STOCK)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE product SET reserved = on_hand + 1",
        "UPDATE product SET reserved = -1",
        "UPDATE product SET on_hand = -1, reserved = -1",
    ],
)
async def test_the_database_itself_refuses_stock_out_of_bounds(desk, statement):
    await desk.product(5)

    with pytest.raises(Exception, match="product_stock"):
        await desk.rows(statement)


@pytest.mark.parametrize(
    "statement", ["UPDATE stock_movement SET quantity = 9", "DELETE FROM stock_movement"]
)
async def test_movements_are_never_changed(desk, statement):
    await desk.product(5)

    with pytest.raises(Exception, match="append-only"):
        await desk.rows(statement)


async def test_products_are_made_all_or_none_and_told_of(desk):
    taken = await desk.product(3, sku="LAMP")
    both = {"products": [{"sku": sku, "name": "x", "price_minor": 1} for sku in ("VASE", "LAMP")]}
    twice = {"products": [{"sku": "RUG", "name": "x", "price_minor": 1}] * 2}

    refused = [await desk.client.post("/v1/products/batch", json=body) for body in (both, twice)]
    listed = await desk.get("/v1/products")
    await desk.drain()

    assert [409, 409] == [answer.status_code for answer in refused]
    assert ["LAMP"] == refused[0].json()["skus"]
    assert [taken["product_id"]] == [one["product_id"] for one in listed["items"]]
    assert [("LAMP", 3)] == [
        (item.sku, item.available) for item in desk.rig.items(ProductChangedV1)
    ]


async def test_a_product_changes_only_for_who_has_seen_its_latest_version(desk):
    product = await desk.product(3)
    path = f"/v1/products/{product['product_id']}"

    first = await desk.client.patch(path, json={"price_minor": 1}, headers={"If-Match": '"1"'})
    second = await desk.client.patch(path, json={"price_minor": 2}, headers={"If-Match": '"1"'})
    without = await desk.client.patch(path, json={"price_minor": 2})

    assert [200, 412, 422] == [answer.status_code for answer in (first, second, without)]
    assert (1, 2) == (first.json()["price_minor"], first.json()["version"])


async def test_a_product_that_is_not_sold_any_longer_has_nothing_available(desk):
    product = await desk.ready("ABCDE2", stock=5)
    path = f"/v1/products/{product['product_id']}"
    version = (await desk.get(path))["version"]
    await desk.client.patch(path, json={"is_active": False}, headers={"If-Match": f'"{version}"'})

    answer = await desk.order(code="ABCDE2")

    assert ("back_order", {"BLANKET": 0}) == (answer["next_step"], answer["available"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"price_minor": -1},
        {"price_minor": 1.5},
        {"currency": "kr"},
        {"vat_pct": 101},
        {"sku": "a b"},
        {"name": ""},
        {"name": "x\x00y"},
        {"initial_stock": -1},
        {"unknown": 1},
    ],
)
async def test_a_product_that_cannot_be_is_refused_with_the_field(desk, wrong):
    body = {"sku": "LAMP", "name": "Lamp", "price_minor": 1, **wrong}

    answer = await desk.client.post("/v1/products", json=body)

    assert (422, "urn:kantis:problem:invalid-input") == (
        answer.status_code,
        answer.json()["type"],
    )
