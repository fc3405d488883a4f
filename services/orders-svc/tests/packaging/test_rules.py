"""Which material goes into which parcel, and that it leaves the shelf once."""

from uuid import UUID

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_kit.ids import new_id
from orders_svc.packaging.queries import packing_for
from orders_svc.packaging.usecases import take_material

RULES = "/v1/products/packing-rules"


@pytest.fixture
async def shop(desk):
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    desk.person_id = str(person.person_id)
    for sku in ("BOX", "BIGBOX", "LEAFLET", "BULBCARD"):
        await desk.product(2, sku=sku, kind="material", price_minor=0)
    for sku in ("LAMP", "BULB"):
        await desk.product(50, sku=sku, price_minor=100)
    return desk


async def rule(shop, **body):
    answer = await shop.client.post(RULES, json={"name": "x", **body})
    assert 201 == answer.status_code, answer.text
    return answer.json()


async def place(shop, *lines, **body):
    answer = await shop.client.post(
        "/v1/orders",
        json={
            "person_id": shop.person_id,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            **body,
        },
    )
    assert 201 == answer.status_code, answer.text
    return answer.json()["order_id"]


async def packed(shop, order_id):
    found = (await shop.get(f"/v1/orders/{order_id}/packing"))["items"]
    return {one["sku"]: one["quantity"] for one in found}


async def test_rules_choose_by_pieces_product_amount_country_and_day(shop):
    await rule(shop, material="BOX", max_pieces=3)
    await rule(shop, material="BIGBOX", min_pieces=4)
    await rule(shop, material="BULBCARD", product="BULB", per="piece", pieces_per=2)
    await rule(shop, material="LEAFLET", countries=["SE"])
    await rule(shop, material="LEAFLET", currency="NOK", min_minor=500)
    await rule(shop, material="LEAFLET", quantity=9, valid_until="2026-03-01")
    await rule(shop, material="LEAFLET", quantity=9, is_active=False)
    await rule(shop, material="LEAFLET", quantity=9, campaign_id=str(new_id()))

    small = await place(shop, ("LAMP", 1))
    bulbs = await place(shop, ("LAMP", 1), ("BULB", 5))
    abroad = await place(shop, ("LAMP", 1), ship_to={"country": "SE"})

    assert {"BOX": 1} == await packed(shop, small)
    assert {"BIGBOX": 1, "BULBCARD": 3, "LEAFLET": 1} == await packed(shop, bulbs)
    assert {"BOX": 1, "LEAFLET": 1} == await packed(shop, abroad)


async def test_material_is_taken_once_and_what_is_short_stops_nothing(shop):
    await rule(shop, material="BOX", quantity=3)
    first, second = [UUID(await place(shop, ("LAMP", 1))) for _ in range(2)]

    async with shop.tx() as tx:
        seen = await packing_for(tx, [first, second])
    async with shop.tx() as tx:
        taken = await take_material(tx, [first])
    async with shop.tx() as tx:
        again = await take_material(tx, [first])
        later = await take_material(tx, [second])

    assert {first: 3, second: 3} == {one: found[0].quantity for one, found in seen.items()}
    assert (2, {}) == (taken[first][0].quantity, again)
    assert 0 == later[second][0].quantity
    assert [(2, 1), (0, 3)] == await shop.rows(
        "SELECT quantity, short FROM packing ORDER BY packed_at, quantity DESC"
    )
    assert [(0,)] == await shop.rows("SELECT on_hand FROM product WHERE sku = 'BOX'")
    assert [(-2, first)] == await shop.rows(
        "SELECT quantity, order_id FROM stock_movement WHERE reason = 'packed'"
    )


async def test_a_rule_is_replaced_and_listed(shop):
    made = await rule(shop, material="BOX")
    path = f"{RULES}/{made['rule_id']}"

    changed = await shop.client.put(path, json={"name": "y", "material": "BIGBOX"})
    gone = await shop.client.put(f"{RULES}/{new_id()}", json={"name": "y", "material": "BOX"})
    listed = (await shop.get(RULES))["items"]

    assert ("y", 200) == (changed.json()["name"], changed.status_code)
    assert (404, "urn:kantis:problem:packing-rule-not-found") == (
        gone.status_code,
        gone.json()["type"],
    )
    assert ["y"] == [one["name"] for one in listed]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"material": "LAMP"}, "LAMP is no product of the kind material"),
        ({"material": "BOX", "product": "NOTHING"}, "product: no product has the sku NOTHING"),
        ({"material": "BOX", "min_pieces": 4, "max_pieces": 3}, "no order would ever fit"),
        ({"material": "BOX", "min_minor": 4}, "in which currency"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused(shop, body, where):
    answer = await shop.client.post(RULES, json={"name": "x", **body})

    assert 422 == answer.status_code
    assert where in answer.text
