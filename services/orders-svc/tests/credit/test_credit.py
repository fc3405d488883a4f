"""What a customer may owe: orders above it are placed, held, and released by a person."""

import asyncio

import pytest

from kantis_kit.ids import new_id
from orders_svc.credit.usecases import check_credit


@pytest.fixture
async def kari(desk):
    """The holder of a code, who may owe 300.00."""
    await desk.ready("ABCDE2")
    order = await desk.order(code="ABCDE2")
    person_id = (await desk.get(f"/v1/orders/{order['order_id']}"))["person_id"]
    await desk.client.put(f"/v1/credit/customers/{person_id}", json={"credit_limit_minor": 30_000})
    return person_id, order["order_id"]


async def orders(desk, person_id, quantity=1):
    body = {"person_id": person_id, "lines": [{"sku": "BLANKET", "quantity": quantity}]}
    return (await desk.order(**body, again=True))["order_id"]


async def test_an_order_above_the_limit_is_held_until_it_is_released_once(desk, kari):
    person_id, first = kari
    second = await orders(desk, person_id)
    holds = (await desk.get("/v1/credit/holds"))["items"]
    refused = await desk.client.post(f"/v1/orders/{second}/pick")
    path = f"/v1/credit/holds/{second}/release"
    released, again = [
        await desk.client.post(path, json={"reason": "Paid by phone"}) for _ in range(2)
    ]
    picked = [await desk.client.post(f"/v1/orders/{one}/pick") for one in (first, second)]

    assert [(second, 30_000, 24_900, 24_900)] == [
        (one["order_id"], one["limit_minor"], one["owed_minor"], one["amount_minor"])
        for one in holds
    ]
    assert (409, "urn:kantis:problem:order-held") == (refused.status_code, refused.json()["type"])
    assert path in refused.json()["detail"]
    assert (200, 409) == (released.status_code, again.status_code)
    assert [200, 200] == [one.status_code for one in picked]
    assert [] == (await desk.get("/v1/credit/holds"))["items"]


async def test_what_is_paid_gives_room_again_and_what_is_owed_is_shown(desk, kari):
    person_id, first = kari
    invoice = await desk.ship(first)
    owing = await desk.get(f"/v1/credit/customers/{person_id}")
    await desk.pay(invoice["reference"], 24_900)
    free = await desk.get(f"/v1/credit/customers/{person_id}")
    await orders(desk, person_id)

    assert (24_900, 0) == (owing["owed_minor"], free["owed_minor"])
    assert [] == (await desk.get("/v1/credit/holds"))["items"]


async def test_two_orders_at_once_do_not_both_fit_into_the_last_of_a_limit(desk, kari):
    person_id, _ = kari
    path = f"/v1/credit/customers/{person_id}"
    await desk.client.put(path, json={"credit_limit_minor": 2 * 24_900})

    await asyncio.gather(*(orders(desk, person_id) for _ in range(3)))

    assert 2 == len((await desk.get("/v1/credit/holds"))["items"])


async def test_who_has_no_limit_owes_what_they_like_and_nobody_is_unknown(desk, kari):
    person_id, _ = kari
    await desk.client.put(f"/v1/credit/customers/{person_id}", json={"debtor": "business"})
    unknown = await desk.client.put(f"/v1/credit/customers/{new_id()}", json={})
    negative = await desk.client.put(
        f"/v1/credit/customers/{person_id}", json={"credit_limit_minor": -1}
    )
    async with desk.tx() as tx:
        credit = await check_credit(tx, person_id, 10**9)

    assert (True, None) == (credit.is_enough, credit.limit_minor)
    assert (404, 422) == (unknown.status_code, negative.status_code)
    assert "business" == (await desk.get(f"/v1/credit/customers/{person_id}"))["debtor"]


async def test_an_order_of_a_shop_is_held_too_and_no_wave_gathers_it(desk, kari):
    person_id, first = kari
    body = {"person_id": person_id, "lines": [{"sku": "BLANKET", "quantity": 1}]}
    placed = (await desk.client.post("/v1/orders", json=body)).json()
    wave = (await desk.client.post("/v1/waves", json={"max_orders": 10})).json()
    path = f"/v1/credit/holds/{placed['order_id']}/release"
    await desk.client.post(path, json={"reason": "Paid by phone"})
    later = (await desk.client.post("/v1/waves", json={"max_orders": 10})).json()

    assert (1, 1) == (wave["orders"], later["orders"])
    assert "picking" == (await desk.get(f"/v1/orders/{first}"))["state"]


async def test_what_is_held_stands_on_no_pick_list_until_it_is_released(desk, kari):
    person_id, first = kari
    held = await orders(desk, person_id)

    async def listed():
        picks = await desk.get("/v1/orders/pick-list")
        return [one["order_id"] for one in picks["orders"]], [
            one["quantity"] for one in picks["totals"]
        ]

    before = await listed()
    await desk.client.post(f"/v1/credit/holds/{held}/release", json={"reason": "Paid by phone"})

    assert ([first], [1]) == before
    assert ([first, held], [2]) == await listed()


async def test_an_order_that_grows_above_the_limit_is_held_then(desk, kari):
    _, first = kari
    path = f"/v1/orders/{first}/lines"

    async def change(quantity, version):
        body = {"lines": [{"sku": "BLANKET", "quantity": quantity}]}
        return await desk.client.put(path, json=body, headers={"If-Match": f'"{version}"'})

    same = await change(1, 1)
    before = (await desk.get("/v1/credit/holds"))["items"]
    grown = await change(2, 2)
    (held,) = (await desk.get("/v1/credit/holds"))["items"]
    again = await change(3, 3)

    assert [200, 200, 200] == [one.status_code for one in (same, grown, again)]
    assert [] == before
    assert (first, 0, 49_800) == (held["order_id"], held["owed_minor"], held["amount_minor"])
    refused = await desk.client.post(f"/v1/orders/{first}/pick")
    assert "urn:kantis:problem:order-held" == refused.json()["type"]
