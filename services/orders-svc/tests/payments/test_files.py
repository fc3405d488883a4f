"""The bank's files: each once, each entry once, all or nothing, and nothing that harms."""

import pytest

from kantis_contracts.orders import OrderPaidV1, OrderUnpaidV1, PaymentBookedV1, PaymentReversedV1
from orders_svc.payments import files

COUNTS = ("booked", "held", "reversed", "duplicates", "skipped", "waiting")


def counts(file):
    return tuple(file[name] for name in COUNTS)


@pytest.mark.parametrize("version", ["02", "08"])
async def test_a_camt_file_pays_by_reference_and_the_same_file_again_changes_nothing(bank, version):
    invoice = await bank.invoice()
    one = bank.entry(invoice["reference"], 24_900, ref="A1", version=version)
    sums = (
        "<TxsSummry><TtlNtries><NbOfNtries>1</NbOfNtries><Sum>249.00</Sum></TtlNtries></TxsSummry>"
    )
    body = bank.camt([one], version=version, sums=sums)

    first, again = await bank.send(body), await bank.send(body)
    order = await bank.desk.get(f"/v1/orders/{invoice['order_id']}")

    assert ("done", (1, 0, 0, 0, 0, 0)) == (first["state"], counts(first))
    assert first == again
    assert order["is_paid"]
    assert 24_900 == (await bank.desk.accounts())["bank"]


async def test_an_ocr_file_pays_and_takes_back_and_the_order_is_unpaid_again(bank):
    invoice = await bank.invoice()
    kid = invoice["reference"]

    paid = await bank.send(bank.ocr([(kid, 24_900, "10")]))
    back = await bank.send(bank.ocr([(kid, 100, "10"), (kid, 24_900, "18")]))
    order = await bank.desk.get(f"/v1/orders/{invoice['order_id']}")
    shown = await bank.desk.get(f"/v1/invoices/{invoice['invoice_id']}")
    accounts = await bank.desk.accounts()

    assert ((1, 0, 0), (1, 0, 1)) == (counts(paid)[:3], counts(back)[:3])
    assert (False, 24_900) == (order["is_paid"], shown["open_minor"])
    assert (100, 24_900, -100) == (
        accounts["bank"],
        accounts["receivables"],
        accounts["customer_credit"],
    )
    items = bank.desk.rig.items
    assert [4, 5] == [one.version for kind in (OrderPaidV1, OrderUnpaidV1) for one in items(kind)]
    assert [24_900] == [one.open_minor for one in items(PaymentReversedV1)]


async def test_an_entry_that_comes_in_a_second_file_is_counted_and_left(bank):
    invoice = await bank.invoice()
    known = bank.entry(invoice["reference"], 10_000, ref="A1")

    await bank.send(bank.camt([known]))
    second = await bank.send(
        bank.camt([known, bank.entry(invoice["reference"], 10_000, ref="A2"), known])
    )

    assert (1, 0, 0, 2) == counts(second)[:4]
    assert 20_000 == (await bank.desk.accounts())["bank"]
    assert 2 == len(bank.desk.rig.items(PaymentBookedV1))


async def test_what_has_no_reference_is_matched_by_words_then_by_payer_and_else_waits(bank):
    ola = await bank.invoice(full_name="Ola Nordmann")
    kari = await bank.invoice("FFFFF1", full_name="Kari Næss")
    first = [
        bank.entry("", 24_900, ref="A1", name="NÆSS, Kari"),
        bank.entry("", 5_000, ref="A2", text=f"Faktura {ola['number']}, takk"),
        bank.entry("", 19_900, ref="A3", name="Per Hansen"),
        bank.entry("RF2312344", 19_900, ref="A4", name="Kari Næss"),
    ]

    file = await bank.send(bank.camt(first))
    held = await bank.payments(state="unmatched")
    asked = await bank.desk.get(f"/v1/payments/{held[0]['payment_id']}/candidates")
    await bank.send(bank.camt([bank.entry("", 19_900, ref="A5", name="Ola Nordmann")]))
    booked = await bank.payments(state="booked")

    assert (2, 2) == counts(file)[:2]
    assert [
        ("payer", kari["invoice_id"]),
        ("text", ola["invoice_id"]),
        ("payer", ola["invoice_id"]),
    ] == [(one["matched_by"], one["invoice_id"]) for one in booked]
    assert ["no_reference", "bad_check_digit"] == [one["reason"] for one in held]
    assert [(ola["number"], ["amount"])] == [(one["number"], one["why"]) for one in asked]


async def test_entries_that_are_announced_or_paid_by_us_are_left_out(bank):
    invoice = await bank.invoice()
    announced = bank.entry(invoice["reference"], 100, ref="A1", state="PDNG")
    ours = bank.entry("", 100, ref="A2", is_back=True).replace("<RvslInd>true", "<RvslInd>false")

    file = await bank.send(bank.camt([announced, ours]))

    assert (0, 0, 0, 0, 2, 0) == counts(file)


async def test_a_file_of_several_chunks_goes_on_where_it_was(bank, monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 2)
    invoice = await bank.invoice()
    entries = [bank.entry(invoice["reference"], 1_000, ref=f"A{one}") for one in range(5)]

    file = await bank.send(bank.camt(entries))

    assert ("done", 5, 5_000) == (file["state"], file["booked"], file["total_minor"])
    assert 5_000 == (await bank.desk.accounts())["bank"]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
THEFT = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
ONE = "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>"
SUM = "<TxsSummry><TtlNtries><Sum>1.01</Sum></TtlNtries></TxsSummry>"


REFUSED = {
    "a bomb": (lambda b, e: b.camt([e], head=BOMB), "document type declaration"),
    "a theft": (lambda b, e: b.camt([e], head=THEFT), "document type declaration"),
    "a cut": (lambda b, e: b.camt([e, e])[:-300], "ends in the middle"),
    "damage": (lambda b, e: b.camt([e.replace("<Amt", "<<Amt")]), "damaged at line 1"),
    "a count": (lambda b, e: b.camt([e], sums=ONE), "says 2 entries and holds 1"),
    "a sum": (lambda b, e: b.camt([e], sums=SUM), "a sum of 1.01"),
    "others' account": (lambda b, e: b.camt([e], account="NO9386011117947"), "which is not ours"),
    "a version": (lambda b, e: b.camt([e], version="03"), "camt.054.001.02 and camt.054.001.08"),
    "a negative amount": (lambda b, e: b.camt([e.replace(">1.00<", ">-1.00<")]), "negative"),
    "half an øre": (lambda b, e: b.camt([e.replace(">1.00<", ">1.001<")]), "not an amount in NOK"),
    "a day": (lambda b, e: b.camt([e.replace("2026-03-09", "9/3")]), "write it as 2026-03-09"),
    "depth": (lambda b, e: b.camt(["<a>" * 60]), "deep"),
    "a long text": (lambda b, e: b.camt([e.replace("A1", "A" * 9_000)]), "more than 4000 signs"),
    "nothing": (lambda b, e: b"", "empty"),
    "an archive": (lambda b, e: b"PK\x03\x04", "neither camt.054"),
    "a cut OCR": (lambda b, e: b.ocr([("12344", 100, "10")])[:-82], "ends in the middle"),
    "an OCR sum": (lambda b, e: b.ocr([("12344", 100, "10")], total=101), "the assignment has"),
    "an OCR kind": (lambda b, e: b.ocr([("12344", 100, "33")]), "of the kind 33"),
    "two OCRs": (lambda b, e: b.ocr([("12344", 100, "10")]) * 2, "behind the end"),
    "an OCR bell": (
        lambda b, e: b.ocr([("12344", 100, "10")]).replace(b"12344", b"123\0004"),
        "control",
    ),
}


async def test_a_file_that_cannot_be_trusted_is_refused_whole_with_the_place(bank):
    for name, (change, words) in REFUSED.items():
        answer = await bank.post(change(bank, bank.entry("12344", 100, ref="A1")))

        assert (422, "urn:kantis:problem:payment-file-refused") == (
            answer.status_code,
            answer.json()["type"],
        ), name
        assert words in answer.json()["detail"], name
        assert "Nothing of it was booked" in answer.json()["detail"], name
    assert [] == await bank.payments()
    assert [] == (await bank.desk.get("/v1/payments/files"))["items"]


async def test_other_bodies_are_refused_with_what_to_send(bank):
    kind = await bank.post(b"{}", kind="application/json")
    form = await bank.desk.client.post("/v1/payments/files", files={}, data={"x": "y"})
    sent = await bank.desk.client.post(
        "/v1/payments/files", files={"file": ("ocr.txt", bank.ocr([("12344", 100, "10")]))}
    )

    assert (422, 202) == (kind.status_code, sent.status_code)
    assert "multipart/form-data" in kind.json()["detail"]
    assert 422 == form.status_code
