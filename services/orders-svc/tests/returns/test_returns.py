"""Goods come back: announced, received by scanning, restocked or scrapped, credited; and the right of withdrawal ends."""

from datetime import UTC, date, datetime, timedelta

import pytest

from kantis_contracts.orders import NoticeRequestedV1, OrderDeliveredV1, OrderReturnedV1
from kantis_kit.ids import new_id
from orders_svc.returns.withdrawal import last_day

STOCK = "SELECT on_hand, reserved FROM product WHERE sku = 'BLANKET'"


@pytest.fixture
async def shop(desk):
    """A desk with an order of three that has been shipped, not paid yet."""
    await desk.ready("ABCDE2", stock=5)
    desk.order_id = (await desk.order(code="ABCDE2", quantity=3))["order_id"]
    desk.sold = await desk.ship(desk.order_id)
    return desk


async def announced(desk, **body):
    return await desk.client.post("/v1/returns", json={"order_id": desk.order_id, **body})


async def received(desk, return_id, *found):
    rows = [dict(zip(("code", "quantity", "fate"), one, strict=False)) for one in found]
    return await desk.client.post(f"/v1/returns/{return_id}/receive", json={"found": rows})


async def delivered(desk, **passed):
    """Let the order arrive now."""
    (parcel,) = await desk.rows("SELECT order_id, number FROM shipment")
    await desk.rows("UPDATE shipment SET tracking = 'T1'")
    item = {"code": "T1", "delivered_at": desk.rig.clock.now().isoformat()}
    answer = await desk.client.post("/v1/deliveries", json={"items": [item]})
    desk.later(timedelta(**passed))
    return parcel, answer


def slug(answer):
    return answer.status_code, answer.json()["type"].split(":")[-1]


async def test_what_comes_back_is_on_the_shelf_again_and_credited(shop):
    one = (await announced(shop, lines=[{"line_no": 1, "quantity": 2}], reason="too small")).json()

    answer = (
        await received(shop, one["return_id"], ("BLANKET", 1), ("BLANKET", 1, "scrap"))
    ).json()
    await shop.drain()

    assert ("received", 49_800) == (answer["state"], answer["refund_minor"])
    assert [(1, 1)] == [(line["restocked"], line["scrapped"]) for line in answer["lines"]]
    assert [(3, 0)] == await shop.rows(STOCK), "two left, one of two on the shelf again"
    accounts = await shop.accounts()
    assert 24_900 == accounts["receivables"], "one is still to be paid"
    (told,) = shop.rig.items(OrderReturnedV1)
    assert (49_800, 49_800, 2) == (told.refund_minor, told.returned_minor, told.lines[0].quantity)
    kinds = [one.kind for one in shop.rig.items(NoticeRequestedV1)]
    assert {"return_announced", "return_received", "credit_note_issued"} <= set(kinds)


async def test_the_second_return_tells_what_came_back_in_all(shop):
    for _ in range(2):
        one = (await announced(shop, lines=[{"line_no": 1, "quantity": 1}])).json()
        await received(shop, one["return_id"], ("BLANKET", 1))
    await shop.drain()

    told = [(one.refund_minor, one.returned_minor) for one in shop.rig.items(OrderReturnedV1)]
    assert [(24_900, 24_900), (24_900, 49_800)] == sorted(told)


async def test_a_return_is_received_once(shop):
    one = (await announced(shop)).json()

    answers = [await received(shop, one["return_id"], ("BLANKET", 3)) for _ in range(2)]
    again = await announced(shop)

    assert [200, 409] == [answer.status_code for answer in answers]
    assert "was received on 2026-" in answers[1].json()["detail"]
    assert (409, "not-bought") == slug(again)
    assert [(5, 0)] == await shop.rows(STOCK)
    assert 0 == (await shop.accounts())["receivables"]


async def test_what_was_not_bought_or_not_that_many_is_not_taken_in(shop):
    await shop.product(5, sku="LAMP", name="Lampe")
    one = (await announced(shop, lines=[{"line_no": 1, "quantity": 1}])).json()

    answers = [
        await received(shop, one["return_id"], ("LAMP", 1)),
        await received(shop, one["return_id"], ("BLANKET", 4)),
        await received(shop, one["return_id"], ("BLANKET", 2), ("BLANKET", 2)),
        await received(shop, one["return_id"], ("NOSUCH", 1)),
        await announced(shop, lines=[{"line_no": 1, "quantity": 3}]),
        await announced(shop, lines=[{"line_no": 7, "quantity": 1}]),
        await shop.client.post("/v1/returns", json={"order_id": str(new_id())}),
        await received(shop, new_id(), ("BLANKET", 1)),
    ]

    assert [
        (409, "not-bought"), (409, "not-bought"), (409, "not-bought"), (404, "unknown-product-code"),
        (409, "not-bought"), (409, "not-bought"), (404, "order-not-found"), (404, "return-not-found"),
    ] == [slug(answer) for answer in answers]  # fmt: skip
    assert {"BLANKET": 3} == answers[0].json()["kept"]
    assert "can send back 2 × BLANKET" in answers[4].json()["detail"], "one is announced already"
    assert [(2, 0)] == await shop.rows(STOCK)
    assert "announced" == (await shop.get(f"/v1/returns/{one['return_id']}"))["state"]


async def test_nothing_comes_back_that_has_not_left(desk):
    await desk.ready("ABCDE2")
    order_id = (await desk.order(code="ABCDE2"))["order_id"]

    answer = await desk.client.post("/v1/returns", json={"order_id": order_id})

    assert (409, "not-bought") == slug(answer)


async def test_a_parcel_that_nobody_announced_is_taken_in_by_the_number_of_its_order(shop):
    ((number,),) = await shop.rows("SELECT number FROM sales_order")
    body = {"code": number, "found": [{"code": "BLANKET", "quantity": 1}]}

    answer = await shop.client.post("/v1/returns/unannounced", json=body)
    unknown = await shop.client.post("/v1/returns/unannounced", json={**body, "code": "4711"})

    assert (201, 24_900) == (answer.status_code, answer.json()["refund_minor"])
    assert (404, True) == (unknown.status_code, "number 4711" in unknown.json()["detail"])


async def test_a_paid_order_that_comes_back_is_the_customers_credit(shop):
    await shop.pay(shop.sold["reference"], shop.sold["total_minor"])
    one = (await announced(shop)).json()

    await received(shop, one["return_id"], ("BLANKET", 3))

    accounts = await shop.accounts()
    assert (0, -74_700) == (accounts["receivables"], accounts["customer_credit"])


async def test_the_right_of_withdrawal_ends_fourteen_days_after_the_last_parcel(shop):
    _, told = await delivered(shop, days=14)
    in_time = await announced(shop, lines=[{"line_no": 1, "quantity": 1}])
    shop.later(timedelta(days=4))
    late = await announced(shop, lines=[{"line_no": 1, "quantity": 1}])
    goodwill = await announced(shop, lines=[{"line_no": 1, "quantity": 1}], is_goodwill=True)
    complaint = await announced(shop, lines=[{"line_no": 1, "quantity": 1}], is_withdrawal=False)

    assert ["delivered"] == [one["outcome"] for one in told.json()["items"]]
    assert [201, 409, 201, 201] == [one.status_code for one in (in_time, late, goodwill, complaint)]
    assert (409, "withdrawal-ended") == slug(late)
    assert late.json()["deadline_on"] == in_time.json()["deadline_on"]


async def test_a_return_that_is_cancelled_can_be_announced_anew(shop):
    one = (await announced(shop)).json()
    busy = await announced(shop)

    await shop.client.post(f"/v1/returns/{one['return_id']}/cancel")

    assert (409, "not-bought") == slug(busy)
    assert 201 == (await announced(shop)).status_code
    twice = await shop.client.post(f"/v1/returns/{one['return_id']}/cancel")
    assert (409, "return-settled") == slug(twice)
    listed = await shop.get("/v1/returns", state="announced")
    assert 1 == len(listed["items"])


@pytest.mark.parametrize(
    ("arrived", "country", "ends"),
    [
        (datetime(2026, 3, 2, 10, tzinfo=UTC), "NO", date(2026, 3, 16)),
        (datetime(2026, 3, 6, 23, 30, tzinfo=UTC), "NO", date(2026, 3, 23)),  # a Saturday there
        (datetime(2026, 4, 17, 10, tzinfo=UTC), "NO", date(2026, 5, 4)),  # 1 May and a weekend
        (datetime(2026, 4, 17, 10, tzinfo=UTC), "SE", date(2026, 5, 4)),
        (datetime(2026, 3, 2, 10, tzinfo=UTC), "DE", date(2026, 3, 16)),
    ],
)
def test_a_period_that_would_end_on_a_day_off_ends_on_the_next_working_day(arrived, country, ends):
    assert ends == last_day(arrived, country)


async def test_an_order_has_arrived_with_its_last_parcel_and_the_customer_is_told_once(desk):
    await desk.ready("ABCDE2", stock=5)
    order_id = (await desk.order(code="ABCDE2", quantity=2))["order_id"]
    await desk.client.post(f"/v1/orders/{order_id}/pick")
    boxes = [{"lines": [{"line_no": 1, "quantity": 1}]}] * 2
    packed = await desk.client.post(f"/v1/orders/{order_id}/parcels", json={"boxes": boxes})
    first, second = [one["code"] for one in packed.json()["items"]]
    now = desk.rig.clock.now().isoformat()
    early = await tell(desk, (first, now))
    await desk.client.post(f"/v1/orders/{order_id}/ship")

    outcomes = [
        early,
        await tell(desk, (first, now), ("nobody", now)),
        await tell(desk, (f"(00){first}", now)),
        await tell(desk, (second, "2020-01-01T00:00:00Z"), (second, "2030-01-01T00:00:00Z")),
    ]
    between = (await desk.get(f"/v1/orders/{order_id}"))["state"]
    file = f"code;delivered_at\n{second};{now}\n"
    for _ in range(2):
        by_file = await desk.client.post(
            "/v1/deliveries/file", content=file, headers={"Content-Type": "text/csv"}
        )
    await desk.drain()

    assert [["unknown"], ["delivered", "unknown"], ["known"], ["not_yet", "not_yet"]] == outcomes
    assert "known" == by_file.json()["items"][0]["outcome"]
    assert ["shipped", "delivered"] == [
        between,
        (await desk.get(f"/v1/orders/{order_id}"))["state"],
    ]
    assert [order_id] == [str(one.order_id) for one in desk.rig.items(OrderDeliveredV1)]
    kinds = [one.kind for one in desk.rig.items(NoticeRequestedV1)]
    assert 1 == kinds.count("order_delivered")


async def tell(desk, *items):
    body = {"items": [{"code": code, "delivered_at": at} for code, at in items]}
    answer = await desk.client.post("/v1/deliveries", json=body)
    return [one["outcome"] for one in answer.json()["items"]]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("sscc;when\n1;2\n", "line 1: the columns are code and delivered_at"),
        ("code;delivered_at\n", "line 2: there are no parcels"),
        ("code;delivered_at\nA;yesterday\n", "line 2: give code and delivered_at"),
        ("code;delivered_at\nA;2026-03-01T10:00:00\n", "with its zone"),
        ("\n", "line 1"),
    ],
)
async def test_a_file_of_deliveries_that_cannot_be_read_says_where(desk, file, said):
    answer = await desk.client.post(
        "/v1/deliveries/file", content=file, headers={"Content-Type": "text/csv"}
    )

    assert 422 == answer.status_code
    assert said in answer.text
