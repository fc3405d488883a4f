"""Orders by API: placed once, as they say themselves when goods are short, and changed until they are picked."""

import asyncio

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import NoticeRequestedV1, OrderChangedV1, OrderPlacedV1
from kantis_kit.ids import new_id

STOCK = "SELECT sku, on_hand, reserved, awaited FROM product ORDER BY sku"


@pytest.fixture
async def shop(desk):
    """A desk with somebody who orders."""
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    desk.person_id = str(person.person_id)
    return desk


async def place(shop, *lines, status=201, **body):
    answer = await shop.client.post(
        "/v1/orders",
        json={
            "person_id": shop.person_id,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            **body,
        },
    )
    assert status == answer.status_code, answer.text
    return answer.json()


async def told(shop):
    await shop.drain()
    return [one.kind for one in shop.rig.items(NoticeRequestedV1)]


async def test_an_order_is_placed_with_its_goods_set_aside_and_the_customer_is_told(shop):
    await shop.product(5, sku="LAMP", price_minor=10_000)

    order = await place(shop, ("LAMP", 2), ship_to={"street": "Hytta 1", "country": "SE"})

    assert ("placed", 20_000, None) == (order["state"], order["total_minor"], order["back_order"])
    assert {"street": "Hytta 1", "country": "SE"} == order["ship_to"]
    assert [("LAMP", 5, 2, 0)] == await shop.rows(STOCK)
    assert ["order_placed"] == await told(shop)
    assert [order["order_id"]] == [str(one.order_id) for one in shop.rig.items(OrderPlacedV1)]


async def test_what_a_shop_sends_twice_at_once_is_one_order(shop):
    await shop.product(9, sku="LAMP")
    body = {"external_id": "shop-1"}

    async def send():
        return await shop.client.post(
            "/v1/orders",
            json={"person_id": shop.person_id, "lines": [{"sku": "LAMP"}], **body},
        )

    answers = await asyncio.gather(*(send() for _ in range(5)))

    assert [200] * 4 + [201] == sorted(one.status_code for one in answers)
    assert 1 == len({one.json()["order_id"] for one in answers})
    assert [("LAMP", 9, 1, 0)] == await shop.rows(STOCK)


async def test_the_id_of_somebody_else_s_order_is_refused(shop):
    await shop.product(9, sku="LAMP")
    other = shop.person()
    await shop.rig.publish(PersonChangedV1(items=(other,)))
    await shop.drain()
    await place(shop, ("LAMP", 1), external_id="shop-1")
    shop.person_id = str(other.person_id)

    refused = await place(shop, ("LAMP", 1), external_id="shop-1", status=409)

    assert "urn:kantis:problem:order-external-id-reused" == refused["type"]
    assert "two orders need two ids" in refused["detail"]


async def test_sold_out_is_said_with_what_there_is_and_nothing_is_kept(shop):
    await shop.product(1, sku="LAMP")

    refused = await place(shop, ("LAMP", 2), status=409)

    assert ("urn:kantis:problem:sold-out", {"LAMP": 1}, "Available now: LAMP: 1") == (
        refused["type"],
        refused["available"],
        refused["detail"],
    )
    assert [(0,)] == await shop.rows("SELECT count(*) FROM sales_order")


async def test_an_order_that_may_wait_waits_whole_and_is_promised_a_day(shop):
    await shop.product(1, sku="LAMP")
    await shop.client.post(
        "/v1/products/deliveries",
        json={"sku": "LAMP", "quantity": 10, "expected_on": "2026-03-20"},
    )

    order = await place(shop, ("LAMP", 2), if_short="back_order")

    assert ("waiting", "2026-03-20") == (order["state"], order["promised_on"])
    assert [("LAMP", 1, 0, 2)] == await shop.rows(STOCK)
    assert ["order_waiting"] == await told(shop)
    (notice,) = shop.rig.items(NoticeRequestedV1)
    assert "20. mars 2026" == notice.facts["promised_on"]
    assert [] == (await shop.get("/v1/orders/pick-list"))["orders"]


async def test_what_is_there_goes_and_the_rest_waits_as_an_order_of_its_own(shop):
    await shop.product(1, sku="LAMP", price_minor=100)
    await shop.product(5, sku="VASE", price_minor=50)

    order = await place(shop, ("LAMP", 3), ("VASE", 2), if_short="partial", external_id="x")
    again = await place(shop, ("LAMP", 3), external_id="x", status=200)

    rest = order["back_order"]
    assert ("placed", 200) == (order["state"], order["total_minor"])
    assert ("waiting", 200, order["order_id"]) == (
        rest["state"],
        rest["total_minor"],
        rest["split_from"],
    )
    assert rest["number"] == f"{order['number']}-2"
    assert rest["order_id"] == again["back_order"]["order_id"]
    assert [("LAMP", 1, 1, 2), ("VASE", 5, 2, 0)] == await shop.rows(STOCK)
    assert ["order_placed", "order_waiting"] == await told(shop)


async def test_something_else_is_sent_at_no_higher_price_when_that_was_allowed(shop):
    wool = await shop.product(0, sku="WOOL", price_minor=300)
    await shop.product(5, sku="SILK", price_minor=900)
    await shop.client.put(f"/v1/products/{wool['product_id']}/substitutes", json={"skus": ["SILK"]})

    order = await place(shop, ("WOOL", 1), substitutes="allow")

    (line,) = order["lines"]
    assert ("SILK", 300, wool["product_id"]) == (
        line["sku"],
        line["unit_price_minor"],
        line["wanted_id"],
    )
    assert ["order_substituted"] == await told(shop)


async def test_the_customer_is_asked_and_gets_what_they_agree_to(shop):
    wool = await shop.product(0, sku="WOOL", price_minor=300)
    await shop.product(5, sku="SILK", price_minor=200, name="Silke")
    await shop.product(5, sku="JUTE", price_minor=100)
    path = f"/v1/products/{wool['product_id']}/substitutes"
    await shop.client.put(path, json={"skus": ["SILK"]})
    order = await place(shop, ("WOOL", 2), substitutes="ask", if_short="back_order")
    await shop.drain()
    path = f"/v1/orders/{order['order_id']}/substitution"

    undeclared = await shop.client.post(path, json={"sku": "WOOL", "instead": "JUTE"})
    unknown = await shop.client.post(path, json={"sku": "WOOL", "instead": "GOLD"})
    agreed = await shop.client.post(path, json={"sku": "WOOL", "instead": "SILK"})

    (notice,) = shop.rig.items(NoticeRequestedV1)
    assert "Ullteppe → Silke (SILK)" == notice.facts["instead"]
    assert (409, "urn:kantis:problem:no-substitute") == (
        undeclared.status_code,
        undeclared.json()["type"],
    )
    assert (422, "instead") == (unknown.status_code, unknown.json()["errors"][0]["field"])
    assert ("placed", 400) == (agreed.json()["state"], agreed.json()["total_minor"])
    stock = await shop.rows(STOCK)
    assert [("JUTE", 5, 0, 0), ("SILK", 5, 2, 0), ("WOOL", 0, 0, 0)] == stock
    assert ["order_waiting", "order_substituted"] == await told(shop)


async def test_lines_change_until_the_order_is_picked_and_what_it_had_keeps_its_price(shop):
    lamp = await shop.product(5, sku="LAMP", price_minor=100)
    await shop.product(2, sku="VASE", price_minor=30)
    order = await place(shop, ("LAMP", 2))
    dearer = {"price_minor": 999}
    version = (await shop.get(f"/v1/products/{lamp['product_id']}"))["version"]
    await shop.client.patch(
        f"/v1/products/{lamp['product_id']}", json=dearer, headers={"If-Match": f'"{version}"'}
    )
    path = f"/v1/orders/{order['order_id']}"

    async def change(*lines, version=1):
        body = {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines]}
        return await shop.client.put(
            f"{path}/lines", json=body, headers={"If-Match": f'"{version}"'}
        )

    changed = await change(("LAMP", 3), ("VASE", 1))
    stale = await change(("LAMP", 1))
    short = await change(("VASE", 4), version=2)
    await shop.client.post(f"{path}/pick")
    late = await change(("LAMP", 1), version=3)

    assert (200, 330) == (changed.status_code, changed.json()["total_minor"])
    assert 412 == stale.status_code
    assert (409, {"VASE": 2}) == (short.status_code, short.json()["available"])
    assert (409, "urn:kantis:problem:order-state") == (late.status_code, late.json()["type"])
    assert "changed only while it is waiting or placed" in late.json()["detail"]
    assert [("LAMP", 5, 3, 0), ("VASE", 2, 1, 0)] == await shop.rows(STOCK)
    assert ["order_placed", "order_changed"] == await told(shop)
    assert [330] == [one.total_minor for one in shop.rig.items(OrderChangedV1)]


async def test_a_cancelled_order_that_waited_waits_for_nothing_and_its_customer_is_told(shop):
    await shop.product(0, sku="LAMP")
    order = await place(shop, ("LAMP", 2), if_short="back_order")

    cancelled = await shop.client.post(f"/v1/orders/{order['order_id']}/cancel")

    assert "cancelled" == cancelled.json()["state"]
    assert [("LAMP", 0, 0, 0)] == await shop.rows(STOCK)
    assert ["order_waiting", "order_cancelled"] == await told(shop)


async def test_information_material_is_ordered_and_sent_like_goods(shop):
    await shop.product(5, sku="LEAFLET", price_minor=0, kind="material")

    order = await place(shop, ("LEAFLET", 1))
    invoice = await shop.ship(order["order_id"])

    assert (0, 0) == (order["total_minor"], invoice["open_minor"])
    assert [("LEAFLET", 4, 0, 0)] == await shop.rows(STOCK)


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({"person_id": str(new_id())}, 404, "There is no card of the person"),
        ({"lines": []}, 422, "lines"),
        ({"lines": [{"sku": "NOTHING"}]}, 422, "lines.0.sku: no product is named NOTHING"),
        ({"lines": [{"sku": "SHIRT"}]}, 422, "choose one of its variants"),
        ({"lines": [{"sku": "LAMP", "quantity": 0}]}, 422, "quantity"),
        ({"currency": "EUR"}, 409, "LAMP has no price in EUR on 2026-03-02: choose NOK"),
        ({"if_short": "hope"}, 422, "if_short"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_with_what_to_mend(shop, body, status, where):
    await shop.product(5, sku="LAMP")
    await shop.product(0, sku="SHIRT", kind="family")

    answer = await shop.client.post(
        "/v1/orders", json={"person_id": shop.person_id, "lines": [{"sku": "LAMP"}], **body}
    )

    assert status == answer.status_code
    assert where in answer.text
