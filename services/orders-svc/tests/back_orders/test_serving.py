"""Who waits gets what comes: first come, first served."""

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import NoticeRequestedV1
from orders_svc.back_orders.usecases import sweep

STATES = "SELECT state FROM sales_order ORDER BY placed_at, order_id"
STOCK = "SELECT on_hand, reserved, awaited FROM product WHERE sku = 'LAMP'"


@pytest.fixture
async def shop(desk):
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    desk.person_id = str(person.person_id)
    return desk


async def place(shop, *lines, **body):
    answer = await shop.client.post(
        "/v1/orders",
        json={
            "person_id": shop.person_id,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            "if_short": "back_order",
            **body,
        },
    )
    assert 201 == answer.status_code, answer.text
    return answer.json()


async def arrive(shop, product, quantity):
    path = f"/v1/products/{product['product_id']}/stock-movements"
    answer = await shop.client.post(path, json={"quantity": quantity, "reason": "delivery"})
    assert 201 == answer.status_code, answer.text
    await shop.drain()


async def test_what_comes_goes_to_those_who_wait_and_nobody_is_overtaken(shop):
    lamp = await shop.product(0, sku="LAMP")
    for quantity in (2, 3, 1):
        await place(shop, ("LAMP", quantity))

    await arrive(shop, lamp, 4)
    first = (await shop.rows(STATES), await shop.rows(STOCK))
    newcomer = await place(shop, ("LAMP", 1))
    await arrive(shop, lamp, 3)

    # Two are left, and the third in turn would like one: the second stands in front with three.
    assert ([("placed",), ("waiting",), ("waiting",)], [(4, 2, 4)]) == first
    assert "waiting" == newcomer["state"], "what somebody waits for is not for sale"
    assert [("placed",)] * 4 == await shop.rows(STATES)
    assert [(7, 7, 0)] == await shop.rows(STOCK)
    kinds = [one.kind for one in shop.rig.items(NoticeRequestedV1)]
    assert 4 == kinds.count("order_filled")


async def test_goods_of_a_cancelled_order_go_to_who_waits(shop):
    await shop.product(1, sku="LAMP")
    held = await place(shop, ("LAMP", 1))
    await place(shop, ("LAMP", 1))

    await shop.client.post(f"/v1/orders/{held['order_id']}/cancel")
    await shop.drain()

    assert [("cancelled",), ("placed",)] == await shop.rows(STATES)


async def test_an_order_for_two_things_waits_until_both_are_there(shop):
    lamp = await shop.product(0, sku="LAMP")
    vase = await shop.product(0, sku="VASE")
    await place(shop, ("LAMP", 1), ("VASE", 1))

    await arrive(shop, lamp, 1)
    before = await shop.rows(STATES)
    await arrive(shop, vase, 1)

    assert [("waiting",)] == before
    assert [("placed",)] == await shop.rows(STATES)


async def test_an_open_answer_gets_its_order_when_goods_come(desk):
    product = await desk.ready("ABCDE2", stock=0)
    answer = await desk.order(code="ABCDE2")

    await arrive(desk, product, 5)

    filled = await desk.get(f"/v1/responses/{answer['response_id']}")
    assert ("back_order", "ship_order") == (answer["next_step"], filled["next_step"])
    assert [("placed",)] == await desk.rows(STATES)


async def test_a_delivery_on_another_day_is_told_to_whom_it_concerns(shop):
    await shop.product(0, sku="LAMP")
    delivery = await shop.client.post(
        "/v1/products/deliveries",
        json={"sku": "LAMP", "quantity": 3, "expected_on": "2026-03-20"},
    )
    path = f"/v1/products/deliveries/{delivery.json()['delivery_id']}"
    near = await place(shop, ("LAMP", 3))
    far = await place(shop, ("LAMP", 1))

    moved = await shop.client.patch(path, json={"expected_on": "2026-03-27"})
    await shop.drain()
    told = [one for one in shop.rig.items(NoticeRequestedV1) if one.kind == "order_promised"]
    received = await shop.client.post(f"{path}/receipts", json={"quantity": 3, "place": "A-01"})
    closed = await shop.client.post(f"{path}/receipts", json={"quantity": 1})
    await shop.drain()

    assert ("2026-03-20", None) == (near["promised_on"], far["promised_on"])
    assert 200 == moved.status_code
    assert ["27. mars 2026"] == [one.facts["promised_on"] for one in told]
    assert (0, True) == (received.json()["outstanding"], received.json()["is_closed"])
    assert (409, "urn:kantis:problem:delivery-closed") == (
        closed.status_code,
        closed.json()["type"],
    )
    assert [("placed",), ("waiting",)] == await shop.rows(STATES)
    assert [("A-01", 3)] == await shop.rows("SELECT place, on_hand FROM stock")


async def test_whatever_made_goods_free_the_sweep_finds_who_waits_for_them(shop):
    await shop.product(0, sku="LAMP")
    order = await place(shop, ("LAMP", 2))
    await shop.rows("UPDATE product SET on_hand = 2")

    async with shop.tx() as tx:
        served = await sweep(tx)

    assert [order["order_id"]] == [str(one) for one in served]


async def test_what_a_customer_may_owe_is_asked_when_the_goods_have_come(shop):
    lamp = await shop.product(0, sku="LAMP", price_minor=20_000)
    limit = {"credit_limit_minor": 30_000}
    await shop.client.put(f"/v1/credit/customers/{shop.person_id}", json=limit)
    first = await place(shop, ("LAMP", 1))
    second = await place(shop, ("LAMP", 1))
    waiting = (await shop.get("/v1/credit/holds"))["items"]

    await arrive(shop, lamp, 1)
    fits = (await shop.get("/v1/credit/holds"))["items"]
    await arrive(shop, lamp, 1)
    (held,) = (await shop.get("/v1/credit/holds"))["items"]

    assert ([], []) == (waiting, fits)
    assert (second["order_id"], 20_000, 20_000) == (
        held["order_id"],
        held["owed_minor"],
        held["amount_minor"],
    )
    picks = (await shop.get("/v1/orders/pick-list"))["orders"]
    assert [first["order_id"]] == [one["order_id"] for one in picks]
