"""Money that comes in: once, in part, too much, for nobody, in another currency."""

import asyncio

import pytest

from kantis_contracts.orders import OrderPaidV1, PaymentBookedV1
from orders_svc.billing.references import luhn_digit


async def invoiced(desk, code="ABCDE2"):
    await desk.ready(code)
    answer = await desk.order(code=code)
    return await desk.ship(answer["order_id"])


async def test_a_payment_that_the_bank_tells_twice_is_booked_once(desk):
    invoice = await invoiced(desk)

    answers = await asyncio.gather(
        *(desk.pay(invoice["reference"], 10_000, external_id="b1") for _ in range(5))
    )
    accounts = await desk.accounts()
    await desk.drain()

    assert 1 == len({answer.json()["payment_id"] for answer in answers})
    assert {201} == {answer.status_code for answer in answers}
    assert (10_000, 14_900) == (accounts["bank"], accounts["receivables"])
    assert 1 == len(desk.rig.items(PaymentBookedV1))


async def test_the_same_bank_id_for_another_payment_is_refused(desk):
    invoice = await invoiced(desk)
    await desk.pay(invoice["reference"], 10_000, external_id="b1")

    answer = await desk.pay(invoice["reference"], 10_001, external_id="b1")

    assert (409, "urn:kantis:problem:external-id-reused") == (
        answer.status_code,
        answer.json()["type"],
    )
    assert 10_000 == (await desk.accounts())["bank"]


async def test_a_payment_is_read_by_its_id(desk):
    invoice = await invoiced(desk)
    taken = (await desk.pay(invoice["reference"], 10_000, external_id="b1")).json()

    answer = await desk.client.get(f"/v1/payments/{taken['payment_id']}")
    unknown = await desk.client.get(f"/v1/payments/{invoice['invoice_id']}")

    assert taken == answer.json()
    assert "booked" == answer.json()["state"]
    assert (404, "urn:kantis:problem:payment-not-found") == (
        unknown.status_code,
        unknown.json()["type"],
    )


async def test_the_same_idempotency_key_books_once_without_a_bank_id(desk):
    invoice = await invoiced(desk)
    body = {
        "reference": invoice["reference"],
        "amount_minor": 100,
        "currency": "NOK",
        "paid_on": "2026-03-09",
    }

    answers = [
        await desk.client.post("/v1/payments", json=body, headers={"Idempotency-Key": "k1"})
        for _ in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    assert 100 == (await desk.accounts())["bank"]


async def test_parts_add_up_and_the_last_one_pays_the_order_once(desk):
    invoice = await invoiced(desk)
    parts = [10_000, 10_000, 4_900]
    for number, part in enumerate(parts):
        assert (await desk.pay(invoice["reference"], part, external_id=f"b{number}")).is_success
    order = await desk.get(f"/v1/orders/{invoice['order_id']}")
    await desk.drain()

    booked = [item.open_minor for item in desk.rig.items(PaymentBookedV1)]
    assert [14_900, 4_900, 0] == booked
    assert order["is_paid"]
    assert [order["order_id"]] == [str(item.order_id) for item in desk.rig.items(OrderPaidV1)]


async def test_what_is_paid_too_much_is_the_customers_credit(desk):
    invoice = await invoiced(desk)

    first = await desk.pay(invoice["reference"], 25_000, external_id="b1")
    second = await desk.pay(invoice["reference"], 500, external_id="b2")
    shown = await desk.get(f"/v1/invoices/{invoice['invoice_id']}")
    accounts = await desk.accounts()
    await desk.drain()

    assert (24_900, 100) == (first.json()["applied_minor"], first.json()["credit_minor"])
    assert (0, 500) == (second.json()["applied_minor"], second.json()["credit_minor"])
    assert (24_900, 0) == (shown["paid_minor"], shown["open_minor"])
    assert (25_500, 0, -600) == (
        accounts["bank"],
        accounts["receivables"],
        accounts["customer_credit"],
    )
    assert 1 == len(desk.rig.items(OrderPaidV1))
    assert [24_900] == [item.amount_minor for item in desk.rig.items(PaymentBookedV1)]


async def test_a_payment_that_no_invoice_explains_is_held_and_listed(desk):
    invoice = await invoiced(desk)
    unknown = "999999999" + luhn_digit("999999999")
    slip = invoice["reference"][:-1] + str((int(invoice["reference"][-1]) + 1) % 10)

    answers = [await desk.pay(reference, 700) for reference in (unknown, slip, "Kari sin regning")]
    answers.append(await desk.pay(invoice["reference"], 700, currency="SEK"))
    listed = await desk.get("/v1/payments", state="unmatched")
    balance = await desk.get("/v1/ledger/balance")

    reasons = [answer.json()["reason"] for answer in answers]
    assert "unknown_reference" == reasons[0]
    assert reasons[1] in ("bad_check_digit", "unknown_reference")
    assert ["bad_check_digit", "other_currency"] == reasons[2:]
    assert [one.json()["payment_id"] for one in answers] == [
        one["payment_id"] for one in listed["items"]
    ]
    assert balance["is_balanced"]
    held = {(one["account"], one["currency"]): one["amount_minor"] for one in balance["accounts"]}
    assert (-2_100, -700) == (held["unmatched", "NOK"], held["unmatched", "SEK"])


async def test_a_held_payment_can_be_matched_once(desk):
    invoice = await invoiced(desk)
    held = (await desk.pay("12344", 24_900)).json()
    path = f"/v1/payments/{held['payment_id']}/match"

    unknown = await desk.client.post(path, json={"reference": "5555"})
    matched = await desk.client.post(path, json={"reference": invoice["reference"]})
    again = await desk.client.post(path, json={"reference": invoice["reference"]})
    accounts = await desk.accounts()
    await desk.drain()

    assert [404, 200, 409] == [answer.status_code for answer in (unknown, matched, again)]
    assert ("booked", 24_900) == (matched.json()["state"], matched.json()["applied_minor"])
    assert (24_900, 0, 0) == (accounts["bank"], accounts["unmatched"], accounts["receivables"])
    assert 1 == len(desk.rig.items(OrderPaidV1))


async def test_a_held_payment_of_another_currency_cannot_be_matched(desk):
    invoice = await invoiced(desk)
    held = (await desk.pay(invoice["reference"], 700, currency="SEK")).json()

    answer = await desk.client.post(
        f"/v1/payments/{held['payment_id']}/match", json={"reference": invoice["reference"]}
    )

    assert (409, "urn:kantis:problem:other-currency") == (
        answer.status_code,
        answer.json()["type"],
    )


async def test_two_payments_at_once_never_pay_more_than_is_owed(desk):
    invoice = await invoiced(desk)

    await asyncio.gather(
        *(desk.pay(invoice["reference"], 9_000, external_id=f"b{n}") for n in range(6))
    )
    accounts = await desk.accounts()
    await desk.drain()

    assert (54_000, 0, 24_900 - 54_000) == (
        accounts["bank"],
        accounts["receivables"],
        accounts["customer_credit"],
    )
    assert 1 == len(desk.rig.items(OrderPaidV1))


async def test_a_reference_is_read_with_its_spaces(desk):
    invoice = await invoiced(desk)
    spaced = f"{invoice['reference'][:4]} {invoice['reference'][4:]}"

    assert "booked" == (await desk.pay(spaced, 100)).json()["state"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_minor": 0},
        {"amount_minor": -24_900},
        {"amount_minor": 10.5},
        {"amount_minor": 10**15},
        {"currency": "nok"},
        {"reference": "12'34"},
        {"paid_on": "yesterday"},
    ],
)
async def test_a_payment_that_cannot_be_is_refused_and_books_nothing(desk, wrong):
    body = {"reference": "12344", "amount_minor": 1, "paid_on": "2026-03-09", **wrong}

    answer = await desk.client.post("/v1/payments", json=body)

    assert 422 == answer.status_code
    assert [next(iter(wrong))] == [one["field"] for one in answer.json()["errors"]]
    assert {} == await desk.accounts()
