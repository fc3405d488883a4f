"""The way of an order out of the house."""

import asyncio

import pytest

from kantis_contracts.orders import (
    InvoiceIssuedV1,
    NoticeRequestedV1,
    OrderCancelledV1,
    OrderShippedV1,
)
from kantis_kit import failpoints
from kantis_kit.ids import new_id

STATE = "SELECT state, version FROM sales_order"


async def test_a_step_out_of_turn_is_refused_and_says_where_the_order_is(desk):
    await desk.ready("ABCDE2")
    order_id = (await desk.order(code="ABCDE2"))["order_id"]

    early = await desk.client.post(f"/v1/orders/{order_id}/ship")
    await desk.ship(order_id)
    late = [
        await desk.client.post(f"/v1/orders/{order_id}/{step}")
        for step in ("pick", "ship", "cancel")
    ]

    assert (409, "placed") == (early.status_code, early.json()["state"])
    assert [(409, "shipped")] * 3 == [(one.status_code, one.json()["state"]) for one in late]
    assert [("shipped", 3)] == await desk.rows(STATE)


async def test_shipping_at_once_from_two_hands_ships_and_invoices_once(desk):
    await desk.ready("ABCDE2", stock=3)
    order_id = (await desk.order(code="ABCDE2", quantity=2))["order_id"]
    await desk.client.post(f"/v1/orders/{order_id}/pick")

    answers = await asyncio.gather(
        *(desk.client.post(f"/v1/orders/{order_id}/ship", json={"tracking": "T"}) for _ in range(4))
    )
    await desk.drain()

    assert [200, 409, 409, 409] == sorted(answer.status_code for answer in answers)
    assert 1 == len(desk.rig.items(OrderShippedV1)) == len(desk.rig.items(InvoiceIssuedV1))
    assert [(1, 0)] == await desk.rows("SELECT on_hand, reserved FROM product")
    facts = [n.facts for n in desk.rig.items(NoticeRequestedV1) if n.kind == "order_shipped"]
    assert ["T"] == [one["tracking"] for one in facts]


async def test_a_cancelled_order_gives_its_goods_back_and_is_off_the_list(desk):
    await desk.ready("ABCDE2", stock=2)
    answer = await desk.order(code="ABCDE2", quantity=2)

    cancelled = await desk.client.post(f"/v1/orders/{answer['order_id']}/cancel")
    response = await desk.get(f"/v1/responses/{answer['response_id']}")

    assert "cancelled" == cancelled.json()["state"]
    assert [(2, 0)] == await desk.rows("SELECT on_hand, reserved FROM product")
    assert {"orders": [], "totals": []} == await desk.get("/v1/orders/pick-list")
    assert "done" == response["next_step"]
    assert {} == await desk.accounts()
    await desk.rig.drain()
    told = desk.rig.items(OrderCancelledV1)
    assert [(answer["order_id"], 2)] == [(str(one.order_id), one.lines[0].quantity) for one in told]


@pytest.mark.parametrize("place", ["tx.before_commit", "web.answered"])
async def test_a_crash_while_shipping_leaves_all_of_it_or_nothing(desk, place):
    await desk.ready("ABCDE2", stock=3)
    order_id = (await desk.order(code="ABCDE2"))["order_id"]
    await desk.client.post(f"/v1/orders/{order_id}/pick")
    await desk.drain()
    ship = f"/v1/orders/{order_id}/ship"
    once = {"Idempotency-Key": "ship-1"}

    failpoints.arm(place, "raise", nth=1)
    try:
        died = await desk.client.post(ship, headers=once)
    finally:
        failpoints.disarm_all()
    answer = await desk.client.post(ship, headers=once)
    await desk.drain()

    assert [500, 200] == [died.status_code, answer.status_code]
    assert "shipped" == answer.json()["state"]
    assert [(2, 0)] == await desk.rows("SELECT on_hand, reserved FROM product")
    assert ["2026-000001"] == [item.number for item in desk.rig.items(InvoiceIssuedV1)]
    assert 24_900 == (await desk.accounts())["receivables"]


async def test_orders_are_listed_by_state_and_person_page_by_page(desk):
    await desk.ready("ABCDE2", stock=9)
    made = [await desk.order(code="ABCDE2", again=True) for _ in range(3)]
    await desk.ship(made[0]["order_id"])

    first = await desk.get("/v1/orders", state="placed", limit=1)
    rest = await desk.get("/v1/orders", state="placed", limit=9, cursor=first["next_cursor"])
    nobody = await desk.get("/v1/orders", person_id=str(new_id()))

    listed = [order["order_id"] for page in (first, rest) for order in page["items"]]
    assert [one["order_id"] for one in made[1:]] == listed
    assert ([], None) == (nobody["items"], nobody["next_cursor"])


@pytest.mark.parametrize("step", ["pick", "ship", "cancel"])
async def test_an_order_that_is_not_there_is_not_found(desk, step):
    answer = await desk.client.post(f"/v1/orders/{new_id()}/{step}")

    assert (404, "urn:kantis:problem:order-not-found") == (
        answer.status_code,
        answer.json()["type"],
    )
