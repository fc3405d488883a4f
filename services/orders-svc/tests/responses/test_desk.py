"""The response desk: one answer, one order, and always a next step."""

import asyncio
from datetime import timedelta

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import (
    NoticeRequestedV1,
    OrderPlacedV1,
    ResponseRegisteredV1,
    ResponseWay,
)

ORDERS = "SELECT count(*) FROM sales_order"


async def test_an_answer_whose_confirmation_was_lost_is_sent_again_and_ordered_once(desk):
    await desk.ready("ABCDE2", stock=20)
    body = {"code": "ABCDE2", "kind": "order", "again": True}
    keys = [f"key-{number}" for number in range(5)]

    async def send(key: str) -> dict:
        answer = await desk.client.post(
            "/v1/responses", json=body, headers={"Idempotency-Key": key}
        )
        assert 201 == answer.status_code, answer.text
        return answer.json()

    lost = [await send(key) for key in keys]
    repeated = [await send(key) for key in keys]

    assert lost == repeated
    assert [(5,)] == await desk.rows(ORDERS)
    assert [(5, 5)] == await desk.rows(
        "SELECT reserved, (SELECT count(*) FROM reservation WHERE state = 'held') FROM product"
    )


async def test_the_same_code_at_once_from_many_hands_is_ordered_once(desk):
    await desk.ready("ABCDE2")

    answers = await asyncio.gather(*(desk.order(code="ABCDE2") for _ in range(6)))
    await desk.drain()

    assert 1 == len({answer["order_id"] for answer in answers})
    assert [True] == [answer["is_new"] for answer in answers if answer["is_new"]]
    assert 1 == len({answer["order_number"] for answer in answers})
    assert 1 == len(desk.rig.items(ResponseRegisteredV1))
    assert 1 == len(desk.rig.items(OrderPlacedV1))


async def test_a_second_order_on_a_code_needs_again_and_another_kind_does_not(desk):
    await desk.ready("ABCDE2")
    first = await desk.order(code="ABCDE2")

    same = await desk.client.post("/v1/responses", json={"code": "abcde2", "kind": "order"})
    more = await desk.client.post(
        "/v1/responses", json={"code": "ABCDE2", "kind": "order", "again": True}
    )
    question = await desk.client.post("/v1/responses", json={"code": "ABCDE2", "kind": "inquiry"})

    assert [200, 201, 201] == [answer.status_code for answer in (same, more, question)]
    assert (first["response_id"], False) == (same.json()["response_id"], same.json()["is_new"])
    assert first["order_id"] not in (None, more.json()["order_id"])
    assert ("open", "answer_inquiry", None) == tuple(
        question.json()[key] for key in ("state", "next_step", "order_id")
    )


@pytest.mark.parametrize("slip", ["ABCED2", "BACDE2", "ABCDE3"])
async def test_a_code_with_a_slip_of_the_finger_orders_nothing_for_anybody(desk, slip):
    await desk.ready("ABCDE2")

    answer = await desk.order(code=slip)

    assert ("unresolved", None, None) == (
        answer["state"],
        answer["person_id"],
        answer["order_id"],
    )
    assert [(0,)] == await desk.rows(ORDERS)


async def test_early_answers_race_with_their_pieces_and_all_of_them_are_ordered_once(desk):
    product = await desk.ready("ABCDE2", stock=100)
    codes = [f"Q{number:05d}" for number in range(12)]
    person = desk.person()

    await asyncio.gather(
        *(desk.order(code=code) for code in codes),
        desk.rig.publish(desk.piece(person, product, *codes)),
    )
    await desk.drain()

    assert [("ship_order", 12)] == await desk.rows(
        "SELECT next_step, count(*) FROM response GROUP BY 1"
    )
    assert [(12,)] == await desk.rows(ORDERS)
    assert 12 == len(desk.rig.items(ResponseRegisteredV1))


async def test_an_early_answer_of_somebody_erased_since_orders_nothing(desk):
    product = await desk.ready("ABCDE2")
    person = desk.person(is_erased=True)
    early = await desk.order(code="GGGGG2", note="call me")

    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()
    await desk.rig.publish(desk.piece(person, product, "GGGGG2"))
    await desk.drain()
    later = await desk.get(f"/v1/responses/{early['response_id']}")

    assert ("answered", "done", None, "") == tuple(
        later[key] for key in ("state", "next_step", "order_id", "note")
    )
    assert [(0,)] == await desk.rows(ORDERS)


async def test_a_sold_out_answer_is_kept_and_ordered_when_goods_come(desk):
    product = await desk.ready("ABCDE2", stock=1)

    kept = await desk.order(code="ABCDE2", quantity=3)
    path = f"/v1/responses/{kept['response_id']}/order"
    early = await desk.client.post(path, json={})
    await desk.client.post(
        f"/v1/products/{product['product_id']}/stock-movements",
        json={"quantity": 2, "reason": "delivery"},
    )
    late = await desk.client.post(path, json={})
    again = await desk.client.post(path, json={})
    await desk.drain()

    assert ("open", "back_order", None, {"BLANKET": 1}) == tuple(
        kept[key] for key in ("state", "next_step", "order_id", "available")
    )
    assert (409, "urn:kantis:problem:sold-out", {"BLANKET": 1}) == (
        early.status_code,
        early.json()["type"],
        early.json()["available"],
    )
    assert (200, "ship_order") == (late.status_code, late.json()["next_step"])
    assert 409 == again.status_code
    assert [3] == [line.quantity for o in desk.rig.items(OrderPlacedV1) for line in o.lines]
    assert 1 == len(desk.rig.items(ResponseRegisteredV1))


async def test_a_sold_out_answer_can_be_refused_and_then_leaves_nothing(desk):
    await desk.ready("ABCDE2", stock=1)

    answer = await desk.client.post(
        "/v1/responses",
        json={"code": "ABCDE2", "kind": "order", "quantity": 2, "if_sold_out": "refuse"},
    )

    assert (409, {"BLANKET": 1}) == (answer.status_code, answer.json()["available"])
    assert [(0,)] == await desk.rows("SELECT count(*) FROM response")


async def test_a_piece_without_goods_leaves_the_order_to_be_chosen(desk):
    await desk.product()
    await desk.rig.publish(desk.piece(desk.person(), None, "ABCDE2"))
    await desk.drain()
    answer = await desk.order(code="ABCDE2")
    path = f"/v1/responses/{answer['response_id']}/order"

    nothing = await desk.client.post(path, json={})
    chosen = await desk.client.post(path, json={"lines": [{"sku": "BLANKET", "quantity": 2}]})

    assert ("open", "choose_product") == (answer["state"], answer["next_step"])
    assert [422, 200] == [nothing.status_code, chosen.status_code]
    assert "ship_order" == chosen.json()["next_step"]


async def test_the_offers_price_holds_for_its_product_alone(desk):
    product = await desk.product()
    await desk.product(sku="VASE", price_minor=5_000)
    await desk.rig.publish(desk.piece(desk.person(), product, "ABCDE2", price=19_900))
    await desk.drain()

    answer = await desk.order(code="ABCDE2", lines=[{"sku": "BLANKET"}, {"sku": "VASE"}])
    order = await desk.get(f"/v1/orders/{answer['order_id']}")

    assert [19_900, 5_000] == [line["unit_price_minor"] for line in order["lines"]]
    assert 24_900 == order["total_minor"]


async def test_open_answers_are_listed_by_when_they_are_due_page_by_page(desk):
    product = await desk.ready("ABCDE2")
    codes = [f"P{number:05d}" for number in range(5)]
    await desk.rig.publish(desk.piece(desk.person(), product, *codes))
    await desk.drain()
    for code in codes:
        async with desk.rig.client() as client:  # yesterday's token is no longer good
            await client.post("/v1/responses", json={"code": code, "kind": "inquiry"})
        desk.rig.clock.advance(timedelta(days=1))

    seen, cursor = [], None
    async with desk.rig.client() as client:
        while True:
            page = await client.get(
                "/v1/responses", params={"state": "open", "limit": 2, "cursor": cursor or ""}
            )
            seen += page.json()["items"]
            cursor = page.json()["next_cursor"]
            if cursor is None:
                break

    assert codes == [one["response_code"] for one in seen]
    assert sorted(one["due_at"] for one in seen) == [one["due_at"] for one in seen]
    assert "2026-03-04T23:00:00Z" == seen[0]["due_at"]


async def test_answering_stops_the_clock_once_and_a_refusal_needs_no_answer(desk):
    product = await desk.ready("ABCDE2")
    await desk.rig.publish(desk.piece(desk.person(), product, "ABCDE3"))
    await desk.drain()
    asked = (
        await desk.client.post("/v1/responses", json={"code": "ABCDE2", "kind": "inquiry"})
    ).json()
    path = f"/v1/responses/{asked['response_id']}/answer"

    first = await desk.client.post(path, json={"note": "Yes, it is wool."})
    second = await desk.client.post(path, json={"note": "No."})
    refusal = await desk.client.post("/v1/responses", json={"code": "ABCDE3", "kind": "refusal"})
    ordered = await desk.order(code="ABCDE3")
    early = await desk.client.post(f"/v1/responses/{ordered['response_id']}/answer", json={})

    assert [200, 409, 409] == [one.status_code for one in (first, second, early)]
    assert ("answered", "done", "Yes, it is wool.") == tuple(
        first.json()[key] for key in ("state", "next_step", "answer")
    )
    assert ("answered", "done") == (refusal.json()["state"], refusal.json()["next_step"])


async def test_a_person_known_otherwise_orders_by_phone(desk):
    person = desk.person(language="sv")
    await desk.product()
    await desk.rig.publish(PersonChangedV1(items=(person,)))
    await desk.drain()

    answer = await desk.order(
        person_id=str(person.person_id), way="phone", lines=[{"sku": "BLANKET"}]
    )
    await desk.drain()

    (registered,) = desk.rig.items(ResponseRegisteredV1)
    assert (ResponseWay.PHONE, "", None) == (
        registered.way,
        registered.response_code,
        registered.campaign_id,
    )
    (notice,) = desk.rig.items(NoticeRequestedV1)
    assert {
        "order_number": answer["order_number"],
        "amount": "249,00\xa0NOK",
        "lines": "1 × Ullteppe",
    } == {**notice.facts, "amount": notice.facts["amount"].replace("Nkr", "NOK")}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "by code or by person_id"),
        ({"code": "ABCDE2", "person_id": "01a2046f-32be-74c8-a50b-244576280906"}, "not both"),
        ({"code": "ABC"}, "6 to 16"),
        ({"code": "ABCUE2"}, "look at the piece again"),
        ({"code": "ABCDE2", "quantity": 0}, "greater than or equal to 1"),
        ({"code": "ABCDE2", "lines": [{"quantity": 1}]}, "sku or by product_id"),
        ({"code": "ABCDE2", "lines": [{"sku": "NONE"}]}, "no product is named NONE"),
        ({"code": "ABCDE2", "way": "web"}, "keyed"),
        ({"code": "ABCDE2", "kind": "joke"}, "order"),
        ({"code": "ABCDE2", "note": "x\x00"}, "NUL"),
    ],
)
async def test_an_answer_that_cannot_be_is_refused_and_says_how_to_mend_it(desk, wrong, words):
    await desk.ready("ABCDE2")

    answer = await desk.client.post("/v1/responses", json={"kind": "order", **wrong})

    assert 422 == answer.status_code
    assert words in answer.text
    assert [(0,)] == await desk.rows("SELECT count(*) FROM response")


async def test_goods_of_two_currencies_are_not_one_order(desk):
    await desk.ready("ABCDE2")
    await desk.product(sku="KOP", currency="DKK")

    answer = await desk.client.post(
        "/v1/responses",
        json={"code": "ABCDE2", "kind": "order", "lines": [{"sku": "BLANKET"}, {"sku": "KOP"}]},
    )

    assert (422, True) == (answer.status_code, "DKK and NOK" in answer.text)


async def test_a_key_without_the_scope_keys_nothing(desk):
    async with desk.rig.client(scopes=["orders:read"]) as reader:
        keyed = await reader.post("/v1/responses", json={"code": "ABCDE2", "kind": "order"})
        listed = await reader.get("/v1/responses")

    assert [403, 200] == [keyed.status_code, listed.status_code]


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/orders", "/v1/invoices", "/v1/payments"])
async def test_a_cursor_that_is_not_ours_is_refused(desk, path):
    for cursor in ("x", "WzFd", "WyJhIiwiYiJd"):
        answer = await desk.client.get(path, params={"cursor": cursor})
        assert 422 == answer.status_code, cursor


async def test_a_corrected_address_is_where_the_parcel_and_the_invoice_go(desk):
    await desk.ready("ABCDE2", full_name="Kari Nordmann")
    moved = {"street": "Ny vei 2", "postal_code": "5003", "city": "Bergen", "country": "NO"}

    answer = await desk.order(code="ABCDE2", address_correction=moved)
    (pick,) = (await desk.get("/v1/orders/pick-list"))["orders"]
    invoice = await desk.ship(answer["order_id"])

    assert {"full_name": "Kari Nordmann", **moved} == {
        key: pick[key] for key in ("full_name", *moved)
    }
    assert [("Kari Nordmann\nNy vei 2\n5003 Bergen",)] == await desk.rows(
        "SELECT recipient FROM invoice WHERE number = $1", invoice["number"]
    )
