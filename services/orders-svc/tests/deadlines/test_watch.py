"""Nothing that came in is forgotten: a warning, an alarm, the share that was kept, and nothing unattended."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import DeadlineMissedV1, DeadlineNearedV1, ResponseRegisteredV1
from orders_svc.deadlines.usecases import watch
from orders_svc.orders.usecases import DraftLine, OrderDraft, place_orders


async def look(desk: Any) -> None:
    async with desk.tx() as tx:
        await watch(tx)
    await desk.drain()


async def test_what_nobody_answers_is_warned_of_and_then_late_once_each(desk):
    # Monday, 2 March 2026: what comes then is due at the end of Wednesday.
    await desk.ready("ABCDE2")
    asked = await desk.order(code="ABCDE2", kind="inquiry")
    other = await desk.order(code="ABCDE2", kind="complaint")

    await look(desk)
    early = desk.rig.items(DeadlineNearedV1)
    desk.rig.clock.advance(timedelta(days=2))
    for _ in range(2):
        await look(desk)
    async with desk.rig.client() as client:
        await client.post(f"/v1/responses/{other['response_id']}/answer", json={})
        desk.rig.clock.advance(timedelta(days=1))
    for _ in range(2):
        await look(desk)

    assert [] == early
    assert {asked["response_id"], other["response_id"]} == {
        str(one.response_id) for one in desk.rig.items(DeadlineNearedV1)
    }
    (missed,) = desk.rig.items(DeadlineMissedV1)
    assert (asked["response_id"], "answer_inquiry") == (str(missed.response_id), missed.next_step)


async def test_the_days_are_counted_where_the_person_lives(desk):
    # Epiphany is a holiday in Sweden and Finland, and none in Norway.
    product = await desk.product()
    swede, norwegian = desk.person(country="SE"), desk.person()
    now = desk.rig.clock.now()
    desk.rig.clock.advance(timedelta(days=(309)) - timedelta(hours=now.hour))
    await desk.rig.publish(
        PersonChangedV1(items=(swede, norwegian)),
        desk.piece(swede, product, "SSSSS2"),
        desk.piece(norwegian, product, "NNNNN2"),
    )
    await desk.drain()

    async with desk.rig.client() as client:
        due = {}
        for code in ("SSSSS2", "NNNNN2"):
            answer = await client.post("/v1/responses", json={"code": code, "kind": "inquiry"})
            due[code] = answer.json()["due_at"]

    assert "2027-01-05" == desk.rig.clock.now().date().isoformat()
    assert {"SSSSS2": "2027-01-08T23:00:00Z", "NNNNN2": "2027-01-07T23:00:00Z"} == due


async def test_the_queue_tells_what_is_late_and_what_is_kept_week_by_week(desk):
    await desk.ready("ABCDE2")
    asked = await desk.order(code="ABCDE2", kind="inquiry")
    await desk.order(code="ABCDE2", kind="complaint")
    await desk.client.post("/v1/responses", json={"code": "ABCDE2", "kind": "refusal"})
    await desk.client.post(f"/v1/responses/{asked['response_id']}/answer", json={})
    before = await desk.get("/v1/deadlines/ageing")
    desk.rig.clock.advance(timedelta(days=3))

    async with desk.rig.client() as client:
        after = (await client.get("/v1/deadlines/ageing")).json()
        weeks = (await client.get("/v1/deadlines/weeks")).json()
        refused = (await client.get("/v1/deadlines/weeks", params={"kind": "refusal"})).json()
        late = await client.get(
            "/v1/responses",
            params={"state": "open", "due_before": desk.rig.clock.now().isoformat()},
        )

    assert [("answer_complaint", 0, 1)] == [
        (one["next_step"], one["late"], one["later"]) for one in before["steps"]
    ]
    assert (1, 1) == (after["late"], after["waiting"])
    assert [
        {"week_on": "2026-03-02", "kept": 1, "late": 1, "waiting": 0, "kept_pct": 50.0}
    ] == weeks
    assert [1] == [one["kept"] for one in refused]
    assert ["answer_complaint"] == [one["next_step"] for one in late.json()["items"]]


async def test_an_order_that_came_without_a_response_gets_a_day_and_is_answered_when_it_ships(desk):
    product = await desk.ready("ABCDE2")
    person = desk.person()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    async with desk.tx() as tx:
        line = DraftLine(product_id=UUID(product["product_id"]), quantity=1)
        (outcome,) = await place_orders(tx, [OrderDraft(person.person_id, (line,))])
        order_id = str(outcome.order.order_id)
    found = await desk.get("/v1/deadlines/unattended")

    for _ in range(2):
        await look(desk)
    followed = (await desk.get("/v1/responses", state="open"))["items"]
    nothing = await desk.get("/v1/deadlines/unattended")
    await desk.ship(order_id)
    await look(desk)

    assert [("order", order_id)] == [(one["what"], one["id"]) for one in found]
    assert [("ship_order", order_id)] == [(one["next_step"], one["order_id"]) for one in followed]
    assert [] == nothing == await desk.get("/v1/deadlines/unattended")
    assert [] == (await desk.get("/v1/responses", state="open"))["items"]
    assert [] == desk.rig.items(ResponseRegisteredV1)


async def test_an_order_that_has_arrived_is_over_and_nobody_is_reminded_of_it_again(desk):
    await desk.ready("ABCDE2")
    order_id = (await desk.order(code="ABCDE2"))["order_id"]
    await desk.client.post(f"/v1/orders/{order_id}/pick")
    packed = (await desk.client.post(f"/v1/orders/{order_id}/parcels", json={})).json()
    await desk.client.post(f"/v1/orders/{order_id}/ship")
    now = desk.rig.clock.now().isoformat()
    arrived = [{"code": one["code"], "delivered_at": now} for one in packed["items"]]
    await desk.client.post("/v1/deliveries", json={"items": arrived})

    nothing = await desk.get("/v1/deadlines/unattended")
    desk.later(timedelta(days=3))
    await look(desk)

    assert "delivered" == (await desk.get(f"/v1/orders/{order_id}"))["state"]
    assert [] == nothing
    assert ["answered"] == [one["state"] for one in (await desk.get("/v1/responses"))["items"]]
    assert [] == desk.rig.items(DeadlineMissedV1)


async def test_after_all_ways_in_nothing_is_unattended(desk):
    await desk.ready("ABCDE2", stock=1)
    for kind in ("order", "inquiry", "complaint", "refusal", "return"):
        await desk.order(code="ABCDE2", kind=kind)
    await desk.order(code="ABCDE2", again=True)  # goods are short
    await desk.order(code="QQQQQ2")  # nobody knows the code yet

    assert [] == await desk.get("/v1/deadlines/unattended")
    steps = {one["next_step"] for one in (await desk.get("/v1/deadlines/ageing"))["steps"]}
    assert {
        "ship_order", "back_order", "answer_inquiry", "answer_complaint", "take_return", "resolve_code",
    } == steps  # fmt: skip
