"""Waves: gathered by age and priority, walked by place, confirmed by scanning, let go again."""

from datetime import timedelta

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import NoticeRequestedV1, OrderShippedV1
from kantis_kit.ids import new_id


@pytest.fixture
async def store(desk):
    """A desk with lamps and blankets, and a way to order them."""
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    products = {
        sku: await desk.product(9, sku=sku, name=sku.title()) for sku in ("LAMP", "BLANKET")
    }

    async def order(**quantities):
        lines = [
            {"product_id": products[sku]["product_id"], "quantity": quantity}
            for sku, quantity in quantities.items()
        ]
        answer = await desk.order(person_id=str(person.person_id), lines=lines, again=True)
        return answer["order_id"]

    desk.place = order
    return desk


async def made(desk, max_orders=100):
    answer = await desk.client.post("/v1/waves", json={"max_orders": max_orders})
    assert 201 == answer.status_code, answer.text
    return answer.json()


async def listed(desk, wave, **params):
    return (await desk.get(f"/v1/waves/{wave['wave_id']}/lines", **params))["items"]


async def pick(desk, wave, walk_no, code, quantity):
    path = f"/v1/waves/{wave['wave_id']}/lines/{walk_no}/pick"
    return await desk.client.post(path, json={"code": code, "quantity": quantity})


async def short(desk, wave, walk_no, **body):
    path = f"/v1/waves/{wave['wave_id']}/lines/{walk_no}/short"
    return await desk.client.post(path, json=body)


async def test_a_wave_takes_the_urgent_and_then_the_old_and_walks_by_place(store):
    old, young, urgent = [await store.place(LAMP=1, BLANKET=n) for n in (1, 2, 3)]
    await store.client.post(f"/v1/orders/{urgent}/priority", json={"priority": 5})

    wave = await made(store, max_orders=2)
    lines = await listed(store, wave)
    rest = await made(store)

    assert (2, 4, 4) == (wave["orders"], wave["lines"], wave["waiting"])
    walk = [(one["sku"], one["order_id"]) for one in lines]
    assert [("BLANKET", urgent), ("BLANKET", old), ("LAMP", urgent), ("LAMP", old)] == walk
    assert {young} == {one["order_id"] for one in await listed(store, rest)}
    nothing = await store.client.post("/v1/waves", json={"max_orders": 1})
    assert (409, "nothing-to-pick") == (nothing.status_code, nothing.json()["type"].split(":")[-1])


async def test_goods_that_lie_at_a_place_of_their_own_are_walked_by_it(store):
    product_ids = dict(await store.rows("SELECT sku, product_id FROM product"))
    for sku, place in (("LAMP", "A-01"), ("BLANKET", "B-02")):
        carried = {"from_place": "MAIN", "to_place": place, "quantity": 9}
        path = f"/v1/products/{product_ids[sku]}/transfers"
        assert (await store.client.post(path, json=carried)).status_code < 300
    await store.place(LAMP=1, BLANKET=1)

    lines = await listed(store, await made(store))

    assert [("A-01", "LAMP"), ("B-02", "BLANKET")] == [(one["place"], one["sku"]) for one in lines]


async def test_the_list_comes_page_by_page(store):
    await store.place(LAMP=1, BLANKET=1)
    wave = await made(store)

    first = await store.get(f"/v1/waves/{wave['wave_id']}/lines", limit=1)
    second = await store.get(
        f"/v1/waves/{wave['wave_id']}/lines", limit=1, cursor=first["next_cursor"]
    )

    assert [1, 2] == [one["walk_no"] for one in first["items"] + second["items"]]


async def test_a_scan_of_a_wrong_product_twice_or_of_too_many_is_told_what_is_wanted(store):
    await store.place(LAMP=2)
    wave = await made(store)

    answers = [
        await pick(store, wave, 1, "BLANKET", 2),
        await pick(store, wave, 1, "NOSUCH", 2),
        await pick(store, wave, 1, "LAMP", 3),
        await pick(store, wave, 1, "LAMP", 1),
        await pick(store, wave, 1, "LAMP", 2),
        await pick(store, wave, 1, "LAMP", 2),
        await pick(store, wave, 2, "LAMP", 2),
    ]

    told = [(one.status_code, one.json().get("detail", "")) for one in answers]
    assert [409, 404, 409, 409, 200, 409, 404] == [status for status, _ in told]
    assert "BLANKET is Blanket. Line 1 wants 2 × LAMP (Lamp)" in told[0][1]
    assert "No product has the code NOSUCH" in told[1][1]
    assert told[2][1].endswith("not 3: put back what is too much")
    assert "take the rest, or say that there is too little" in told[3][1]
    assert "Line 1 is picked" == told[5][1]
    closed = await store.get(f"/v1/waves/{wave['wave_id']}")
    assert ("picked", 0) == (closed["state"], closed["waiting"])


async def test_an_order_does_not_leave_before_the_wave_has_come_to_its_last_line(store):
    order_id = await store.place(LAMP=1, BLANKET=1)
    wave = await made(store)
    await pick(store, wave, 1, "BLANKET", 1)

    early = await store.client.post(f"/v1/orders/{order_id}/ship")
    await pick(store, wave, 2, "LAMP", 1)
    shipped = await store.client.post(f"/v1/orders/{order_id}/ship")

    assert (409, "still-being-picked") == (early.status_code, early.json()["type"].split(":")[-1])
    assert "shipped" == shipped.json()["state"]


async def test_what_the_shelf_has_not_comes_later_and_is_invoiced_then(store):
    order_id = await store.place(LAMP=3)
    wave = await made(store)

    await short(store, wave, 1, picked=1, rest="back_order")
    part = await store.client.post(f"/v1/orders/{order_id}/ship", json={"tracking": "A"})
    today = await store.client.post("/v1/waves", json={"max_orders": 9})
    store.later(timedelta(days=1))
    later = await made(store)
    await pick(store, later, 1, "LAMP", 2)
    whole = await store.client.post(f"/v1/orders/{order_id}/ship", json={"tracking": "B"})
    await store.drain()

    assert ("placed", 1) == (part.json()["state"], part.json()["lines"][0]["shipped_quantity"])
    assert 409 == today.status_code, "the shelf is not looked at again on the same day"
    assert "shipped" == whole.json()["state"]
    shipments = (await store.get(f"/v1/orders/{order_id}/shipments"))["items"]
    assert [("A", 1), ("B", 2)] == [
        (one["tracking"], one["lines"][0]["quantity"]) for one in shipments
    ]
    invoices = (await store.get("/v1/invoices", order_id=order_id))["items"]
    assert [24_900, 49_800] == [one["total_minor"] for one in invoices]
    assert [(6, 0)] == await store.rows("SELECT on_hand, reserved FROM product WHERE sku = 'LAMP'")
    assert [order_id] == [str(one.order_id) for one in store.rig.items(OrderShippedV1)]
    kinds = [one.kind for one in store.rig.items(NoticeRequestedV1) if one.kind != "invoice_issued"]
    assert sorted(["order_placed", "order_delayed", "order_shipped", "order_shipped"]) == sorted(
        kinds
    )


async def test_an_order_in_parts_is_paid_with_its_last_invoice(store):
    order_id = await store.place(LAMP=2)
    await store.client.post(f"/v1/orders/{order_id}/pick")
    await store.client.post(
        f"/v1/orders/{order_id}/ship", json={"lines": [{"line_no": 1, "quantity": 1}]}
    )
    (first,) = (await store.get("/v1/invoices", order_id=order_id))["items"]
    await store.pay(first["reference"], first["total_minor"])
    between = await store.get(f"/v1/orders/{order_id}")
    await store.client.post(f"/v1/orders/{order_id}/pick")
    await store.client.post(f"/v1/orders/{order_id}/ship")
    second = (await store.get("/v1/invoices", order_id=order_id))["items"][1]
    await store.pay(second["reference"], second["total_minor"])

    assert not between["is_paid"]
    assert (await store.get(f"/v1/orders/{order_id}"))["is_paid"]


async def test_what_does_not_come_any_more_is_for_sale_and_not_owed(store):
    order_id = await store.place(LAMP=3)
    wave = await made(store)

    await short(store, wave, 1, picked=1, rest="call_off")
    shipped = (await store.client.post(f"/v1/orders/{order_id}/ship")).json()
    (invoice,) = (await store.get("/v1/invoices", order_id=order_id))["items"]
    await store.pay(invoice["reference"], invoice["total_minor"])

    assert ("shipped", 24_900) == (shipped["state"], shipped["total_minor"])
    assert 24_900 == invoice["total_minor"]
    assert (await store.get(f"/v1/orders/{order_id}"))["is_paid"]
    assert [(8, 0)] == await store.rows("SELECT on_hand, reserved FROM product WHERE sku = 'LAMP'")


async def test_an_order_of_which_the_shelf_has_nothing_is_cancelled_or_waits(store):
    gone, waits = await store.place(LAMP=1), await store.place(LAMP=1)
    wave = await made(store)

    for walk_no, rest in ((1, "call_off"), (2, "back_order")):
        assert 200 == (await short(store, wave, walk_no, picked=0, rest=rest)).status_code

    assert "cancelled" == (await store.get(f"/v1/orders/{gone}"))["state"]
    assert "placed" == (await store.get(f"/v1/orders/{waits}"))["state"]
    assert [(9, 1)] == await store.rows("SELECT on_hand, reserved FROM product WHERE sku = 'LAMP'")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"picked": 2}, 409, "confirm it instead"),
        ({"picked": 1, "try_again_on": "2026-01-01"}, 422, "has passed"),
        ({"picked": -1}, 422, ""),
    ],
)
async def test_a_short_pick_that_is_none_is_refused(store, body, status, said):
    await store.place(LAMP=2)
    wave = await made(store)

    answer = await short(store, wave, 1, **body)

    assert status == answer.status_code
    assert said in answer.text


async def test_lines_of_a_picker_who_is_stuck_go_to_others_after_half_an_hour(store):
    await store.place(LAMP=1)
    wave = await made(store)
    path = f"/v1/waves/{wave['wave_id']}"
    async with store.rig.client(caller="kari") as kari:
        mine = await kari.post(f"{path}/take", json={"lines": 5})
    others = await store.client.post(f"{path}/take")
    refused = await pick(store, wave, 1, "LAMP", 1)
    store.later(timedelta(minutes=30))
    free = await store.client.post(f"{path}/take")

    assert [1] == [one["walk_no"] for one in mine.json()["lines"]]
    assert [] == others.json()["lines"]
    assert (409, "line-taken") == (refused.status_code, refused.json()["type"].split(":")[-1])
    assert [1] == [one["walk_no"] for one in free.json()["lines"]]
    assert 200 == (await pick(store, wave, 1, "LAMP", 1)).status_code


async def test_a_cancelled_wave_lets_go_of_what_nobody_took(store):
    begun, untouched = await store.place(LAMP=1, BLANKET=1), await store.place(LAMP=1)
    wave = await made(store)
    await pick(store, wave, 1, "BLANKET", 1)

    left = await store.client.post(f"/v1/waves/{wave['wave_id']}/cancel")
    again = await made(store)

    assert ("open", 1) == (left.json()["state"], left.json()["waiting"])
    assert {untouched} == {one["order_id"] for one in await listed(store, again)}
    assert {begun} == {one["order_id"] for one in await listed(store, wave, state="waiting")}
    gone = await store.client.post(f"/v1/waves/{again['wave_id']}/cancel")
    assert "cancelled" == gone.json()["state"]
    twice = await store.client.post(f"/v1/waves/{again['wave_id']}/cancel")
    assert (409, "wave-closed") == (twice.status_code, twice.json()["type"].split(":")[-1])


async def test_an_order_that_is_called_off_leaves_its_wave(store):
    order_id = await store.place(LAMP=1)
    wave = await made(store)

    await store.client.post(f"/v1/orders/{order_id}/cancel")

    answer = await pick(store, wave, 1, "LAMP", 1)
    assert (409, "released") == (answer.status_code, answer.json()["state"])
    assert "picked" == (await store.get(f"/v1/waves/{wave['wave_id']}"))["state"]


async def test_more_than_is_left_does_not_leave(store):
    order_id = await store.place(LAMP=2)
    await store.client.post(f"/v1/orders/{order_id}/pick")

    answers = [
        await store.client.post(f"/v1/orders/{order_id}/ship", json={"lines": [line]})
        for line in ({"line_no": 1, "quantity": 3}, {"line_no": 2, "quantity": 1})
    ]

    assert [409, 409] == [answer.status_code for answer in answers]
    assert {"1": 2} == answers[0].json()["left"]
    assert [(9, 2)] == await store.rows("SELECT on_hand, reserved FROM product WHERE sku = 'LAMP'")


@pytest.mark.parametrize("path", ["", "/lines", "/take", "/cancel"])
async def test_a_wave_that_is_not_there_is_not_found(store, path):
    method = "POST" if path in ("/take", "/cancel") else "GET"

    answer = await store.client.request(method, f"/v1/waves/{new_id()}{path}")

    assert (404, "wave-not-found") == (answer.status_code, answer.json()["type"].split(":")[-1])
