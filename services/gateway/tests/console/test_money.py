"""Invoices and payments: what is shown of them, and which calls settle, credit and dispute."""

import pytest

from kantis_kit.ids import new_id

INVOICE, PAYMENT, OTHER = (str(new_id()) for _ in range(3))
ONE = {
    "invoice_id": INVOICE, "kind": "invoice", "credits_id": None, "credit_reason": "", "order_id": OTHER,
    "person_id": OTHER, "number": "2026-000007", "reference": "1000000016", "net_minor": 19_920, "vat_minor": 4_980,
    "total_minor": 24_900, "paid_minor": 0, "credited_minor": 0, "open_minor": 24_900, "currency": "NOK",
    "issued_at": "2026-03-02T09:00:00Z", "due_on": "2026-03-16", "vat": [{"vat_pct": 25, "net_minor": 1, "vat_minor": 4_980}],
    "lines": [{"line_no": 1, "sku": "BLANKET", "name": "Pledd", "quantity": 2, "amount_minor": 24_900}],
}  # fmt: skip
HELD = {
    "payment_id": PAYMENT, "reference": "999", "invoice_id": None, "amount_minor": 24_900, "currency": "NOK",
    "paid_on": "2026-03-09", "external_id": None, "state": "unmatched", "reason": "unknown_reference", "credit_minor": 0,
    "payer_name": "Ola", "remittance": "", "person_id": None, "is_reversal": False, "reverses_id": None,
    "booked_at": "2026-03-09T09:00:00Z",
}  # fmt: skip
CASE = {
    "state": "disputed", "is_over": False, "resume_on": None, "currency": "NOK",
    "claims": [{"kind": "fee", "amount_minor": 3_500, "open_minor": 3_500, "currency": "NOK", "claimed_on": "2026-04-01", "why": "law"}],
    "steps": [{"step": "dispute", "taken_on": "2026-04-02", "fee_minor": 0, "pay_by": None, "why": "", "actor": "Kari"}],
}  # fmt: skip
SIDES = [
    {"number": "1500", "name": "Kundefordringer", "amount_minor": 24_900, "currency": "NOK"},
    {"number": "3000", "name": "Salg", "amount_minor": -24_900, "currency": "NOK"},
]


@pytest.fixture
def invoice(services):
    services.answer("GET", f"/v1/invoices/{INVOICE}", ONE)
    left = {"lines": [{"line_no": 1, "quantity": 2}], "amounts": [{"vat_pct": 25, "amount_minor": 24_900}]}  # fmt: skip
    services.answer("GET", f"/v1/invoices/{INVOICE}/credit-notes", {"items": [], "left": left})
    services.answer("GET", f"/v1/invoices/{INVOICE}/dunning", CASE)
    voucher = {"booked_on": "2026-03-02", "kind": "invoice", "label": "2026-000007", "sides": SIDES}
    services.answer("GET", "/v1/ledger/vouchers", {"items": [voucher]})
    return f"/console/invoices/{INVOICE}"


async def test_an_invoice_is_shown_with_its_postings_and_how_it_is_followed_up(
    console, services, invoice
):
    browser = await console.browser("fulfilment")

    page = (await browser.get(invoice)).text

    for told in ("2026-000007", "1500 Kundefordringer", "disputed", "by the customer", f"{INVOICE}.pdf"):  # fmt: skip
        assert told in page
    assert f"$KANTIS_URL/v1/ledger/vouchers?invoice_id={INVOICE}" in page


async def test_a_credit_note_has_nobody_to_pay_it(console, services):
    note = {**ONE, "kind": "credit_note", "reference": None, "credits_id": OTHER, "open_minor": 0}
    services.answer("GET", f"/v1/invoices/{INVOICE}", note)
    browser = await console.browser("fulfilment")

    page = (await browser.get(f"/console/invoices/{INVOICE}")).text

    assert f"/console/invoices/{OTHER}" in page
    assert {f"/v1/invoices/{INVOICE}", "/v1/ledger/vouchers"} == {one.path for one in services.calls}  # fmt: skip
    assert 'name="_form" value="dunning_step"' not in page


@pytest.mark.parametrize(
    "case",
    [
        (
            "credit_pieces",
            {"lines.0.line_no": "1", "lines.0.quantity": "2", "reason": "Returned"},
            "credit-notes",
            {"lines": [{"line_no": "1", "quantity": 2}], "reason": "Returned"},
        ),
        (
            "credit_amount",
            {"amounts.0.vat_pct": "25", "amounts.0.amount_minor": "1 00,50", "reason": "Sorry"},
            "credit-notes",
            {"amounts": [{"vat_pct": "25", "amount_minor": 10_050}], "reason": "Sorry"},
        ),
        (
            "dunning_step",
            {"step": "dispute", "note": "Broken"},
            "dunning",
            {"step": "dispute", "with_fee": False, "note": "Broken"},
        ),
        ("claims_waive", {}, "claims/waive", ""),
    ],
)
async def test_what_is_done_about_an_invoice_is_one_call(console, services, invoice, case):
    form, typed, path, body = case
    browser = await console.browser("fulfilment")

    sent = await browser.send(invoice, form, **typed)

    assert 303 == sent.status_code
    assert [(f"/v1/invoices/{INVOICE}/{path}", body)] == services.sent("POST")


async def test_what_the_api_finds_wrong_in_a_list_stands_at_the_field(console, services, invoice):
    problem = {
        "title": "Invalid", "detail": "lines.0.quantity: 2 are left",
        "errors": [{"field": "lines.0.quantity", "message": "2 are left"}],
    }  # fmt: skip
    services.answer("POST", f"/v1/invoices/{INVOICE}/credit-notes", problem, 422)
    browser = await console.browser("fulfilment")
    typed = {"lines.0.line_no": "1", "lines.0.quantity": "9", "reason": "x"}

    sent = await browser.send(invoice, "credit_pieces", **typed)

    assert 422 == sent.status_code
    assert 'id="credit_pieces-lines-0-quantity-wrong">2 are left' in sent.text


async def test_payments_that_match_nothing_stand_first_and_say_why(console, services):
    services.answer("GET", "/v1/payments", {"items": [HELD], "next_cursor": None})
    browser = await console.browser("bookkeeper")

    page = (await browser.get("/console/payments")).text

    assert "no invoice has this reference" in page
    (asked,) = [one.query for one in services.calls if one.path == "/v1/payments"]
    assert "state=unmatched" in asked
    assert 'name="_form" value="payment_take"' not in page, "a bookkeeper looks on"


async def test_a_held_payment_is_booked_on_the_candidate_that_is_chosen(console, services):
    services.answer("GET", f"/v1/payments/{PAYMENT}", HELD)
    candidate = {
        "invoice_id": INVOICE, "number": "2026-000007", "reference": "1000000016", "recipient": "Ola N\nVei 1",
        "open_minor": 24_900, "currency": "NOK", "due_on": "2026-03-16", "why": ["amount", "payer"],
    }  # fmt: skip
    services.answer("GET", f"/v1/payments/{PAYMENT}/candidates", [candidate])
    browser = await console.browser("fulfilment")
    address = f"/console/payments/{PAYMENT}"

    page = (await browser.get(address)).text
    await browser.send(address, "payment_book", reference="1000000016")
    await browser.send(address, "payment_refund", reason="Paid twice")

    assert "the amount, the payer" in page
    assert "Book on 2026-000007" in page
    base = f"/v1/payments/{PAYMENT}"
    assert [
        (f"{base}/match", {"reference": "1000000016"}),
        (f"{base}/refund", {"reason": "Paid twice"}),
    ] == services.sent("POST")


async def test_of_what_the_bank_took_back_only_payments_of_that_sum_are_offered(console, services):
    services.answer("GET", f"/v1/payments/{PAYMENT}", {**HELD, "is_reversal": True})
    booked = [
        {**HELD, "payment_id": INVOICE, "payer_name": "Same sum"},
        {**HELD, "payment_id": OTHER, "payer_name": "Another sum", "amount_minor": 1},
    ]
    services.answer("GET", "/v1/payments", {"items": booked, "next_cursor": None})
    browser = await console.browser("fulfilment")

    page = (await browser.get(f"/console/payments/{PAYMENT}")).text
    await browser.send(f"/console/payments/{PAYMENT}", "payment_original", original_id=INVOICE)

    assert "Same sum" in page
    assert "Another sum" not in page
    expected = (f"/v1/payments/{PAYMENT}/original", {"payment_id": INVOICE})
    assert [expected] == services.sent("POST")


async def test_the_banks_file_is_sent_on_as_it_is(console, services):
    browser = await console.browser("fulfilment")
    page = (await browser.get("/console/payments")).text
    csrf = page.split('name="_csrf" value="', 1)[1].split('"', 1)[0]

    sent = await browser.client.post(
        "/console/payments",
        data={"_csrf": csrf, "_form": "payments_file"},
        files={"bank_file": ("camt.xml", b"<Document/>", "text/xml")},
        headers={"Origin": "http://kantis.test"},
    )

    assert 303 == sent.status_code
    (call,) = [one for one in services.calls if one.method == "POST"]
    assert ("/v1/payments/files", "<Document/>") == (call.path, call.body)
    assert b"application/xml" == call.headers[b"content-type"]


FILE = {
    "file_id": OTHER, "kind": "camt.054", "state": "reading", "problem": "", "file_bytes": 1_000, "read_bytes": 420,
    "entries": 7, "booked": 0, "held": 0, "waiting": 7, "received_at": "2026-03-09T09:00:00Z",
}  # fmt: skip


async def test_a_file_of_the_banks_says_how_far_it_is_and_why_it_is_refused(console, services):
    refused = {**FILE, "state": "refused", "problem": "the file ends in <the> middle"}
    booking = {**FILE, "state": "booking", "booked": 3, "waiting": 4}
    services.answer("GET", "/v1/payments/files", {"items": [FILE, booking, refused]})
    browser = await console.browser("bookkeeper")

    page = (await browser.get("/console/payments")).text

    assert "42 % is read. 7 entries: 0 booked, 0 wait for somebody, 7 to go" in page
    assert "being booked" in page
    assert "7 entries: 3 booked, 0 wait for somebody, 4 to go" in page
    assert "the file ends in &lt;the&gt; middle" in page


async def test_a_payment_that_waits_for_a_person_is_due_today(console, services):
    services.answer("GET", "/v1/payments", {"items": [HELD], "next_cursor": None})
    browser = await console.browser("fulfilment")

    page = (await browser.get("/console")).text

    card = page.split("Payments that match nothing", 1)[1].split("</article>", 1)[0]
    assert '<span class="figure">1</span>' in card
    assert 'href="/console/payments"' in card
