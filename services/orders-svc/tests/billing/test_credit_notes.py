"""Credit notes: what was asked for is taken back, once, and never by changing the invoice."""

import asyncio

import pytest

from kantis_contracts.orders import InvoiceCreditedV1, NoticeRequestedV1, OrderPaidV1
from orders_svc.billing.model import Invoice

MUTABLE = {"person_id", "merged_id", "campaign_id", "cell_id", "paid_minor", "credited_minor"}
"""Whose it is and what of it is paid; everything else of an invoice stays as it was issued."""


async def invoiced(desk, quantity=3):
    await desk.ready("ABCDE2", stock=9)
    await desk.product(9, sku="BOOK", name="Bok", price_minor=10_001, vat_pct=15)
    lines = [{"sku": "BLANKET", "quantity": quantity}, {"sku": "BOOK", "quantity": 1}]
    answer = await desk.order(code="ABCDE2", lines=lines)
    return await desk.ship(answer["order_id"])


async def credit(desk, invoice, **body):
    path = f"/v1/invoices/{invoice['invoice_id']}/credit-notes"
    return await desk.client.post(path, json={"reason": "Returned", **body})


async def seen(desk, invoice):
    return await desk.get(f"/v1/invoices/{invoice['invoice_id']}")


async def test_pieces_are_credited_with_a_number_of_their_own_series_and_less_is_owed(desk):
    invoice = await invoiced(desk)

    answer = await credit(desk, invoice, lines=[{"line_no": 1, "quantity": 2}])
    note, after, accounts = answer.json(), await seen(desk, invoice), await desk.accounts()
    await desk.drain()

    assert 201 == answer.status_code
    assert ("K2026-000001", "credit_note", None) == (
        note["number"],
        note["kind"],
        note["reference"],
    )
    assert (49_800, [(25, 39_840, 9_960)]) == (
        note["total_minor"],
        [(one["vat_pct"], one["net_minor"], one["vat_minor"]) for one in note["vat"]],
    )
    assert invoice["number"] == after["number"]
    assert (49_800, invoice["total_minor"] - 49_800) == (
        after["credited_minor"],
        after["open_minor"],
    )
    assert after["open_minor"] == accounts["receivables"]
    assert "customer_credit" not in accounts
    (told,) = desk.rig.items(InvoiceCreditedV1)
    assert (49_800, 49_800, after["open_minor"]) == (
        told.amount_minor,
        told.settled_minor,
        told.open_minor,
    )
    assert "credit_note_issued" in [one.kind for one in desk.rig.items(NoticeRequestedV1)]


async def test_parts_add_up_to_the_whole_with_its_vat_to_the_last_oere(desk):
    invoice = await invoiced(desk)

    for body in (
        {"amounts": [{"vat_pct": 15, "amount_minor": 3_333}]},
        {"amounts": [{"vat_pct": 15, "amount_minor": 3_333}]},
        {"lines": [{"line_no": 1, "quantity": 1}]},
        {"amounts": [{"vat_pct": 15, "amount_minor": 3_335}]},
        {"lines": [{"line_no": 1, "quantity": 2}]},
    ):
        answer = await credit(desk, invoice, **body)
        assert 201 == answer.status_code, answer.text
    after, accounts = await seen(desk, invoice), await desk.accounts()
    listed = await desk.get(f"/v1/invoices/{invoice['invoice_id']}/credit-notes")

    assert 0 == after["open_minor"]
    assert {0} == set(accounts.values())
    assert invoice["vat_minor"] == sum(one["vat_minor"] for one in listed["items"])
    assert [f"K2026-{n:06}" for n in range(1, 6)] == [one["number"] for one in listed["items"]]
    assert {0} == {one["amount_minor"] for one in listed["left"]["amounts"]}


async def test_what_was_paid_already_becomes_the_customers_credit(desk):
    invoice = await invoiced(desk, quantity=1)
    await desk.pay(invoice["reference"], invoice["total_minor"] - 5_000)

    answer = await credit(desk, invoice, lines=[{"line_no": 1, "quantity": 1}])
    after, accounts = await seen(desk, invoice), await desk.accounts()
    await desk.drain()

    assert 201 == answer.status_code
    assert (5_000, 0) == (after["credited_minor"], after["open_minor"])
    assert (0, 5_000 - 24_900) == (accounts["receivables"], accounts["customer_credit"])
    assert 1 == len(desk.rig.items(OrderPaidV1)), "the rest was credited, the order is paid"


async def test_a_paid_invoice_is_credited_in_full_to_the_customers_credit(desk):
    invoice = await invoiced(desk)
    await desk.pay(invoice["reference"], invoice["total_minor"])

    answer = await credit(
        desk, invoice, lines=[{"line_no": 1, "quantity": 3}, {"line_no": 2, "quantity": 1}]
    )
    accounts = await desk.accounts()

    assert 201 == answer.status_code
    assert -invoice["total_minor"] == accounts["customer_credit"]
    assert (0, 0, 0) == tuple(accounts[one] for one in ("receivables", "revenue", "vat"))


async def test_an_order_that_was_credited_and_never_paid_is_not_paid(desk):
    invoice = await invoiced(desk)

    await credit(
        desk, invoice, lines=[{"line_no": 1, "quantity": 3}, {"line_no": 2, "quantity": 1}]
    )
    order = await desk.get(f"/v1/orders/{invoice['order_id']}")
    still_open = await desk.get("/v1/invoices", is_open=True)

    assert not order["is_paid"]
    assert [] == still_open["items"]


async def test_more_than_what_is_left_is_refused_and_the_answer_says_what_is_left(desk):
    invoice = await invoiced(desk)
    whole = {"lines": [{"line_no": 1, "quantity": 3}]}
    assert 201 == (await credit(desk, invoice, **whole)).status_code

    twice = await credit(desk, invoice, **whole)
    larger = await credit(desk, invoice, amounts=[{"vat_pct": 15, "amount_minor": 10_002}])
    other_rate = await credit(desk, invoice, amounts=[{"vat_pct": 12, "amount_minor": 1}])

    for answer in (twice, larger, other_rate):
        assert (409, "urn:kantis:problem:too-much-credited") == (
            answer.status_code,
            answer.json()["type"],
        )
    assert "line 1: 0 left" in twice.json()["detail"]
    assert "10001 at 15" in larger.json()["detail"]
    assert [
        {"line_no": 1, "quantity": 0},
        {"line_no": 2, "quantity": 1},
    ] == twice.json()["left"]["lines"]
    assert 3 * 24_900 == (await seen(desk, invoice))["credited_minor"]


async def test_after_goodwill_no_line_gives_more_than_is_left_at_its_rate(desk):
    invoice = await invoiced(desk)
    await credit(desk, invoice, amounts=[{"vat_pct": 15, "amount_minor": 1}])

    answer = await credit(desk, invoice, lines=[{"line_no": 2, "quantity": 1}])

    assert 409 == answer.status_code
    assert "10000 at 15" in answer.json()["detail"]


async def test_of_many_credits_at_once_no_more_succeed_than_there_are_pieces(desk):
    invoice = await invoiced(desk)

    answers = await asyncio.gather(
        *(credit(desk, invoice, lines=[{"line_no": 1, "quantity": 1}]) for _ in range(6))
    )

    assert [201] * 3 + [409] * 3 == sorted(answer.status_code for answer in answers)
    numbers = [answer.json()["number"] for answer in answers if answer.is_success]
    assert [f"K2026-{n:06}" for n in (1, 2, 3)] == sorted(numbers)


@pytest.mark.parametrize(
    ("wrong", "status", "told"),
    [
        ({"lines": [{"line_no": 1, "quantity": 0}]}, 422, "greater than"),
        ({"lines": [{"line_no": 1, "quantity": -1}]}, 422, "greater than"),
        ({"amounts": [{"vat_pct": 25, "amount_minor": -100}]}, 422, "greater than"),
        ({"amounts": [{"vat_pct": 25.555, "amount_minor": 100}]}, 422, "decimal"),
        ({"lines": [{"line_no": 7, "quantity": 1}]}, 422, "the invoice has the lines 1, 2"),
        ({}, 422, "one of the two"),
        ({"lines": [{"line_no": 1, "quantity": 1}] * 2}, 422, "once"),
        (
            {"amounts": [{"vat_pct": 25, "amount_minor": 1}], "currency": "XTS"},
            409,
            "is in NOK, not in XTS",
        ),
        ({"amounts": [{"vat_pct": 25, "amount_minor": 1}], "currency": "kr"}, 422, "currency"),
    ],
    ids=[
        "no pieces",
        "negative pieces",
        "negative amount",
        "rate of three decimals",
        "line that is not there",
        "nothing",
        "line twice",
        "other currency",
        "no currency",
    ],
)
async def test_what_cannot_be_credited_is_refused_and_books_nothing(desk, wrong, status, told):
    invoice = await invoiced(desk)
    before = await desk.accounts()

    answer = await credit(desk, invoice, **wrong)

    assert status == answer.status_code
    assert told in answer.text
    assert before == await desk.accounts()


async def test_a_credit_note_is_not_credited_and_an_unknown_invoice_is_not_there(desk):
    invoice = await invoiced(desk)
    lines = [{"line_no": 1, "quantity": 1}]
    note = (await credit(desk, invoice, lines=lines)).json()

    again = await credit(desk, note, lines=lines)
    unknown = await credit(desk, {"invoice_id": invoice["order_id"]}, lines=lines)

    assert (409, "urn:kantis:problem:credit-note-credited") == (
        again.status_code,
        again.json()["type"],
    )
    assert 404 == unknown.status_code


async def test_the_database_refuses_every_change_of_what_was_issued(desk):
    invoice = await invoiced(desk)
    await credit(desk, invoice, lines=[{"line_no": 1, "quantity": 1}])
    columns = [column.name for column in Invoice.__table__.columns]

    for column in MUTABLE:
        await desk.rows(f"UPDATE invoice SET {column} = {column}")
    for column in sorted(set(columns) - MUTABLE):
        value = {"recipient": "'Ola'", "buyer": """'{"name": "Ola"}'"""}.get(column, column)
        with pytest.raises(Exception, match=r"is issued"):
            await desk.rows(f"UPDATE invoice SET {column} = {value}")
    for statement in (
        'UPDATE invoice SET buyer = \'{"name": "Ola"}\'',
        "UPDATE invoice_line SET name = 'x'",
        "DELETE FROM invoice_line",
        "UPDATE invoice_vat SET vat_minor = 0",
        "DELETE FROM invoice",
    ):
        with pytest.raises(Exception, match=r"is issued|append-only"):
            await desk.rows(statement)
