"""Money that waits for a person: matched at a rate, given back, left as credit, taken back."""

from datetime import date

import pytest


@pytest.fixture
def held(desk):
    """Hold money in a currency; return a way to act on it."""

    async def hold(reference="12344", minor=700, **given):
        payment = (await desk.pay(reference, minor, **given)).json()

        async def act(what, **body):
            return await desk.client.post(f"/v1/payments/{payment['payment_id']}/{what}", json=body)

        return payment, act

    return hold


async def test_money_of_another_currency_is_matched_at_a_keyed_rate_or_that_of_its_day(bank, held):
    invoice = await bank.invoice()
    _, first = await held(invoice["reference"], 10_000, currency="SEK")
    _, second = await held(invoice["reference"], 10_000, currency="EUR")

    none = await first("match", reference=invoice["reference"])
    keyed = await first("match", reference=invoice["reference"], rate="0.98765")
    for day, rate in (("2026-03-01", "1.5"), ("2026-03-09", "1.25"), ("2026-03-10", "9")):
        path = f"/v1/payments/exchange-rates/EUR/NOK/{day}"
        assert (await bank.desk.client.put(path, json={"rate": rate})).is_success
    table = await second("match", reference=invoice["reference"])
    balance = await bank.desk.get("/v1/ledger/balance")
    rates = await bank.desk.get("/v1/payments/exchange-rates/EUR/NOK")

    assert (409, "urn:kantis:problem:other-currency") == (none.status_code, none.json()["type"])
    assert "exchange-rates/SEK/NOK/2026-03-09" in none.json()["detail"]
    assert (9_876, 9_876) == (keyed.json()["converted_minor"], keyed.json()["applied_minor"])
    assert 12_500 == table.json()["converted_minor"]
    assert ["2026-03-10", "2026-03-09", "2026-03-01"] == [one["valid_from"] for one in rates]
    assert balance["is_balanced"]
    sums = {(one["account"], one["currency"]): one["amount_minor"] for one in balance["accounts"]}
    assert (-10_000, 9_876 + 12_500) == (sums["exchange", "SEK"], sums["exchange", "NOK"])
    assert 24_900 - 9_876 - 12_500 == sums["receivables", "NOK"]


async def test_money_of_another_currency_that_is_taken_back_opens_the_invoice_again(bank, held):
    invoice = await bank.invoice()
    payment, act = await held(invoice["reference"], 10_000, currency="SEK")
    await act("match", reference=invoice["reference"], rate="2.5")

    back = await act("reverse", reason="Never came")
    twice = await act("reverse", reason="Never came")
    order = await bank.desk.get(f"/v1/orders/{invoice['order_id']}")
    balance = await bank.desk.get("/v1/ledger/balance")

    assert (201, payment["payment_id"]) == (back.status_code, back.json()["reverses_id"])
    assert (409, "urn:kantis:problem:payment-not-reversible") == (
        twice.status_code,
        twice.json()["type"],
    )
    assert not order["is_paid"]
    left = {
        (one["account"], one["currency"]): one["amount_minor"]
        for one in balance["accounts"]
        if one["amount_minor"]
    }
    assert {("receivables", "NOK"), ("revenue", "NOK"), ("vat", "NOK")} == set(left)


async def test_held_money_goes_back_or_stays_as_a_customers_credit_once(bank, held):
    invoice = await bank.invoice()
    person_id = invoice["person_id"]
    (_, refund), (_, credit) = await held(), await held()

    given = await refund("refund", reason="Paid to us by mistake")
    again = await refund("refund", reason="Once more")
    nobody = await credit("credit", person_id="01890a5d-ac96-774b-bcce-b302099a8057")
    left = await credit("credit", person_id=person_id)
    late = await credit("match", reference=invoice["reference"])
    accounts = await bank.desk.accounts()
    gone = await credit("reverse", reason="Bounced")

    assert [200, 409, 404, 200, 409, 201] == [
        one.status_code for one in (given, again, nobody, left, late, gone)
    ]
    assert ("refunded", "credited") == (given.json()["state"], left.json()["state"])
    assert (-700, -700, 0) == (
        accounts["refunds"],
        accounts["customer_credit"],
        accounts["unmatched"],
    )
    assert 0 == (await bank.desk.accounts())["customer_credit"]


async def test_money_taken_back_for_no_known_payment_waits_for_its_original(bank):
    invoice = await bank.invoice()
    paid = (await bank.desk.pay(invoice["reference"], 24_900)).json()
    other = (await bank.desk.pay(invoice["reference"], 500)).json()
    await bank.send(bank.camt([bank.entry("", 24_900, ref="R1", is_back=True)]))
    (reversal,) = await bank.payments(state="unmatched")
    path = f"/v1/payments/{reversal['payment_id']}"

    matched = await bank.desk.client.post(f"{path}/match", json={"reference": invoice["reference"]})
    wrong, right, again = [
        await bank.desk.client.post(f"{path}/original", json={"payment_id": one["payment_id"]})
        for one in (other, paid, paid)
    ]
    shown = await bank.desk.get(f"/v1/invoices/{invoice['invoice_id']}")

    assert "no_original" == reversal["reason"]
    assert [409, 409, 200, 409] == [one.status_code for one in (matched, wrong, right, again)]
    assert "/original" in matched.json()["detail"]
    assert "24900 NOK" in wrong.json()["detail"]
    assert 24_900 == shown["open_minor"]
    assert 500 == (await bank.desk.accounts())["bank"]


async def test_an_amount_is_rounded_half_to_even_in_the_invoices_minor_units():
    from decimal import Decimal

    from orders_svc.payments.usecases import converted

    assert [2, 2, 4] == [converted(one, "SEK", "NOK", Decimal("0.5")) for one in (3, 4, 7)]
    assert (100, 10_000) == (
        converted(10_000, "NOK", "ISK", Decimal(1)),
        converted(100, "ISK", "NOK", Decimal(1)),
    )


async def test_a_rate_must_be_a_positive_number_and_a_day_a_day(desk):
    bad = [
        await desk.client.put(f"/v1/payments/exchange-rates/SEK/NOK/{day}", json={"rate": rate})
        for day, rate in ((date(2026, 1, 1), "0"), (date(2026, 1, 1), "-1"), ("soon", "1"))
    ]

    assert [422, 422, 422] == [one.status_code for one in bad]
