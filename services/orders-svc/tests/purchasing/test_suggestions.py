"""What to buy: for those who wait, for the least stock, for what campaigns will bring, for what goes by itself."""

from datetime import timedelta
from uuid import UUID

from kantis_contracts.contacts import PersonChangedV1
from orders_svc.packaging.usecases import take_material

PATH = "/v1/products/purchase-suggestions"


async def listed(desk):
    return {one["sku"]: one for one in (await desk.get(PATH))["items"]}


async def test_who_has_enough_need_buy_nothing(desk):
    await desk.product(5, sku="LAMP")
    await desk.product(0, sku="SET", kind="bundle", parts=[{"sku": "LAMP"}])

    assert {} == await listed(desk)


async def test_what_is_waited_for_and_the_least_stock_are_bought_in_whole_boxes(desk):
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    await desk.product(0, sku="LAMP", min_stock=5, order_multiple=6)
    await desk.client.post(
        "/v1/orders",
        json={
            "person_id": str(person.person_id),
            "lines": [{"sku": "LAMP", "quantity": 3}],
            "if_short": "back_order",
        },
    )

    before = (await listed(desk))["LAMP"]
    await desk.client.post(
        "/v1/products/deliveries",
        json={"sku": "LAMP", "quantity": 8, "expected_on": "2026-03-20"},
    )

    assert (12, 3, 5) == (before["quantity"], before["awaited"], before["min_stock"])
    assert {} == await listed(desk)


async def test_a_campaign_is_bought_for_by_its_expected_response_less_what_has_come(desk):
    person = desk.person()
    product = await desk.product(3, sku="LAMP", lead_days=10)
    await desk.product(1, sku="BOX", kind="material", price_minor=0)
    codes = [f"ABCDE{digit}" for digit in "23456789"]
    launch = desk.piece(person, product, *codes).model_copy(update={"expected_response_pct": 50.0})
    await desk.rig.publish(PersonChangedV1(items=(person,)), launch)
    await desk.drain()

    first = await listed(desk)
    order_id = (await desk.order(code="ABCDE2"))["order_id"]
    await desk.client.post("/v1/products/packing-rules", json={"name": "Box", "material": "BOX"})
    async with desk.tx() as tx:
        await take_material(tx, [UUID(order_id)])
    second = await listed(desk)
    desk.later(timedelta(days=31))

    # Half of eight pieces: four, of which one has come, and two are free.
    assert (4, 1) == (first["LAMP"]["expected"], first["LAMP"]["quantity"])
    assert (3, 1) == (second["LAMP"]["expected"], second["LAMP"]["quantity"])
    # Two last for twenty of the thirty days, and a purchase takes ten.
    assert "2026-03-12" == second["LAMP"]["order_by"]
    assert (3, 3) == (second["BOX"]["expected"], second["BOX"]["quantity"])
    assert "LAMP" not in await listed(desk), "nobody answers after a month"


async def test_a_bundle_that_is_offered_is_bought_for_by_its_parts(desk):
    person = desk.person()
    await desk.product(0, sku="BULB")
    bundle = await desk.product(0, sku="SET", kind="bundle", parts=[{"sku": "BULB", "quantity": 2}])
    codes = [f"ABCDE{digit}" for digit in "2345"]
    launch = desk.piece(person, bundle, *codes).model_copy(update={"expected_response_pct": 25.0})
    await desk.rig.publish(PersonChangedV1(items=(person,)), launch)
    await desk.drain()

    assert 2 == (await listed(desk))["BULB"]["quantity"]


async def test_what_goes_by_itself_is_bought_for_as_long_as_a_purchase_takes(desk):
    product = await desk.ready("ABCDE2", stock=30)
    version = (await desk.get(f"/v1/products/{product['product_id']}"))["version"]
    await desk.client.patch(
        f"/v1/products/{product['product_id']}",
        json={"lead_days": 14},
        headers={"If-Match": f'"{version}"'},
    )
    order = await desk.order(code="ABCDE2", quantity=28)
    await desk.ship(order["order_id"])

    found = (await listed(desk))["BLANKET"]

    # 28 in four weeks is one a day: 14 while it comes, and 2 are there.
    assert (14, 12, "2026-03-02") == (found["usual"], found["quantity"], found["order_by"])
