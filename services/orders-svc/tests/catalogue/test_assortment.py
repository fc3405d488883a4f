"""Variants, bundles, places and counts."""

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import ProductChangedV1

SUMS = """
    SELECT p.sku, p.on_hand,
        (SELECT coalesce(sum(on_hand), 0) FROM stock s WHERE s.product_id = p.product_id),
        (SELECT coalesce(sum(quantity), 0) FROM stock_movement m WHERE m.product_id = p.product_id)
    FROM product p ORDER BY p.sku
"""

MOVE = """
    INSERT INTO stock_movement (movement_id, product_id, quantity, reason, moved_at, place)
    SELECT gen_random_uuid(), product_id, {}, 'x', now(), {} FROM product
"""


@pytest.fixture
async def shop(desk):
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    desk.person_id = str(person.person_id)
    return desk


async def place(shop, *lines, **body):
    return await shop.client.post(
        "/v1/orders",
        json={
            "person_id": shop.person_id,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            **body,
        },
    )


def parts(*pairs):
    return [{"sku": sku, "quantity": quantity} for sku, quantity in pairs]


async def test_variants_have_skus_stock_and_attributes_of_their_own(shop):
    batch = [
        {"sku": "SHIRT", "name": "Skjorte", "price_minor": 100, "kind": "family"},
        *(
            {
                "sku": f"SHIRT-{size}",
                "name": f"Skjorte {size}",
                "price_minor": 100,
                "family": "SHIRT",
                "attributes": {"size": size},
                "initial_stock": 3,
            }
            for size in ("S", "M")
        ),
    ]

    made = await shop.client.post("/v1/products/batch", json={"products": batch})
    family = made.json()["items"][0]["product_id"]
    variants = (await shop.get("/v1/products", variant_of=family))["items"]
    same = await shop.client.post("/v1/products", json={**batch[1], "sku": "SHIRT-XS"})
    lost = await shop.client.post("/v1/products", json={**batch[1], "family": "TROUSERS"})

    assert 201 == made.status_code, made.text
    assert [("SHIRT-M", {"size": "M"}, 3), ("SHIRT-S", {"size": "S"}, 3)] == [
        (one["sku"], one["attributes"], one["available"]) for one in variants
    ]
    assert (409, "urn:kantis:problem:variant-taken") == (same.status_code, same.json()["type"])
    assert (422, "products.0.family") == (lost.status_code, lost.json()["errors"][0]["field"])


async def test_a_bundle_is_there_as_often_as_its_parts_and_is_sold_as_they_are(shop):
    lamp = await shop.product(4, sku="LAMP", price_minor=30_000)
    await shop.product(9, sku="BULB", price_minor=5_000, vat_pct=15)
    await shop.product(
        0, sku="SET", price_minor=33_334, kind="bundle", parts=parts(("LAMP", 1), ("BULB", 3))
    )

    seen = (await shop.get("/v1/products", kind="bundle"))["items"][0]
    order = (await place(shop, ("SET", 2))).json()
    await shop.drain()

    assert (3, 0) == (seen["available"], seen["on_hand"])
    assert 66_668 == order["total_minor"] == sum(line["amount_minor"] for line in order["lines"])
    assert {("LAMP", 2), ("BULB", 6)} == {
        (sku, sum(line["quantity"] for line in order["lines"] if line["sku"] == sku))
        for sku in ("LAMP", "BULB")
    }
    assert {15, 25} == {line["vat_pct"] for line in order["lines"]}
    assert {seen["product_id"]} == {line["bundle_id"] for line in order["lines"]}
    assert 1 == [one.available for one in shop.rig.items(ProductChangedV1) if one.sku == "SET"][-1]
    assert 2 == (await shop.get(f"/v1/products/{lamp['product_id']}"))["reserved"]


async def test_with_a_part_of_it_short_a_bundle_is_sold_out_waits_or_goes_in_parts(shop):
    await shop.product(9, sku="LAMP", price_minor=100)
    await shop.product(2, sku="BULB", price_minor=10)
    await shop.product(
        0, sku="SET", price_minor=110, kind="bundle", parts=parts(("LAMP", 1), ("BULB", 2))
    )

    refused = await place(shop, ("SET", 2))
    part = (await place(shop, ("SET", 2), if_short="partial")).json()

    assert (409, {"BULB": 2}) == (refused.status_code, refused.json()["available"])
    assert (110, 110) == (part["total_minor"], part["back_order"]["total_minor"])
    assert "waiting" == part["back_order"]["state"]


async def test_a_bundle_in_an_order_keeps_its_price_when_lines_change(shop):
    await shop.product(9, sku="LAMP", price_minor=100)
    await shop.product(9, sku="BULB", price_minor=10)
    await shop.product(
        0, sku="SET", price_minor=77, kind="bundle", parts=parts(("LAMP", 1), ("BULB", 2))
    )
    order = (await place(shop, ("SET", 3))).json()

    changed = await shop.client.put(
        f"/v1/orders/{order['order_id']}/lines",
        json={"lines": [{"sku": "SET", "quantity": 2}, {"sku": "BULB"}]},
        headers={"If-Match": '"1"'},
    )

    assert (231, 164) == (order["total_minor"], changed.json()["total_minor"])
    assert [("BULB", 5), ("LAMP", 2), ("SET", 0)] == await shop.rows(
        "SELECT sku, reserved FROM product ORDER BY sku"
    )


async def test_goods_lie_at_places_are_carried_between_them_and_leave_from_them(shop):
    lamp = await shop.product(5, sku="LAMP")
    path = f"/v1/products/{lamp['product_id']}"
    carry = {"from_place": "MAIN", "to_place": "A-01", "quantity": 3}

    moved = await shop.client.post(f"{path}/transfers", json=carry)
    more = await shop.client.post(f"{path}/transfers", json=carry)
    nowhere = await shop.client.post(f"{path}/transfers", json={**carry, "to_place": "MAIN"})
    taken = await shop.client.post(
        f"{path}/stock-movements", json={"quantity": -3, "reason": "broken", "place": "MAIN"}
    )
    order = (await place(shop, ("LAMP", 4))).json()
    await shop.ship(order["order_id"])

    assert [("A-01", 3), ("MAIN", 2)] == [
        (one["place"], one["on_hand"]) for one in moved.json()["items"]
    ]
    assert [(409, "MAIN has 2: at most that many can be taken from there")] * 2 == [
        (one.status_code, one.json()["detail"]) for one in (more, taken)
    ]
    assert 422 == nowhere.status_code
    assert [("LAMP", 1, 1, 1)] == await shop.rows(SUMS)
    assert [("MAIN", 1)] == [
        (one["place"], one["on_hand"]) for one in (await shop.get(f"{path}/places"))["items"]
    ]


async def test_a_count_corrects_what_lies_there_but_nothing_that_is_promised(shop):
    lamp = await shop.product(5, sku="LAMP")
    path = f"/v1/products/{lamp['product_id']}/counts"
    await place(shop, ("LAMP", 2))

    fewer = await shop.client.post(path, json={"counted": 4})
    same = await shop.client.post(path, json={"counted": 4})
    elsewhere = await shop.client.post(path, json={"counted": 2, "place": "A-01"})
    too_few = await shop.client.post(path, json={"counted": 1, "place": "A-01"})
    short = await shop.client.post(path, json={"counted": 0})

    assert [4, 4, 6, 5] == [one.json()["on_hand"] for one in (fewer, same, elsewhere, too_few)]
    assert (409, "urn:kantis:problem:stock-too-low") == (short.status_code, short.json()["type"])
    assert [("LAMP", 5, 5, 5)] == await shop.rows(SUMS)
    assert [("counted", -1), ("counted", 2), ("counted", -1)] == await shop.rows(
        "SELECT reason, quantity FROM stock_movement WHERE reason = 'counted' ORDER BY movement_id"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stock SET on_hand = -1",
        MOVE.format(-1, "'NOWHERE'"),
        MOVE.format(-6, "NULL"),
    ],
)
async def test_the_database_itself_lets_no_place_hold_less_than_nothing(desk, statement):
    await desk.product(5)

    with pytest.raises(Exception, match="stock_on_hand"):
        await desk.rows(statement)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "bundle"},
        {"parts": [{"sku": "VASE"}]},
        {"kind": "bundle", "parts": [{"sku": "VASE"}] * 2},
        {"kind": "bundle", "parts": [{"sku": "NOTHING"}]},
        {"kind": "family", "initial_stock": 1},
        {"kind": "material", "family": "SHIRT"},
        {"vat_pct": 25, "vat_class": "food"},
        {"vat_class": "fixed"},
        {"vat_pct": 25.555},
    ],
)
async def test_a_product_that_contradicts_itself_is_refused(desk, wrong):
    await desk.product(1, sku="VASE")

    answer = await desk.client.post(
        "/v1/products", json={"sku": "LAMP", "name": "Lamp", "price_minor": 1, **wrong}
    )

    assert (422, "urn:kantis:problem:invalid-input") == (
        answer.status_code,
        answer.json()["type"],
    )


async def test_a_family_and_a_bundle_have_no_stock_to_book(desk):
    product = await desk.product(0, sku="SHIRT", kind="family")

    answer = await desk.client.post(
        f"/v1/products/{product['product_id']}/stock-movements",
        json={"quantity": 1, "reason": "delivery"},
    )

    assert (409, "urn:kantis:problem:without-stock") == (
        answer.status_code,
        answer.json()["type"],
    )
