"""A collection agency: what it is told by file, what it tells by file, each thing once."""

import pytest

CASH = "kind;id;invoice_number;amount_minor;currency;on;why\r\n"


@pytest.fixture
async def handed(house):
    """A case that an agency has, and its first file."""
    async with house(agency_name="Inkasso AS", dunning_grace_days=0) as debtors:
        invoice = await debtors.owes()
        for month, day in ((3, 30), (4, 14), (5, 4)):
            await debtors.on(2026, month, day)
        yield debtors, invoice


async def write(debtors):
    answer = await debtors.desk.client.post("/v1/dunning/agency-files")
    if answer.status_code == 409:
        return []
    assert 201 == answer.status_code, answer.text
    return (await debtors.desk.get(answer.headers["Location"]))["lines"]


async def report(debtors, body, kind="text/csv"):
    return await debtors.desk.client.post(
        "/v1/dunning/agency-reports", content=body.encode(), headers={"Content-Type": kind}
    )


async def test_the_agency_is_told_of_a_case_once_and_then_of_what_was_paid_to_us(handed):
    debtors, invoice = handed
    first, nothing = await write(debtors), await write(debtors)
    paid = (await debtors.desk.pay(invoice["reference"], 10_000)).json()
    second = await write(debtors)
    path = f"/v1/payments/{paid['payment_id']}/reverse"
    await debtors.desk.client.post(path, json={"reason": "Recalled"})
    third = await write(debtors)
    await debtors.take(invoice, "take_back", note="Paid at our counter")
    fourth = await write(debtors)
    files = (await debtors.desk.get("/v1/dunning/agency-files"))["items"]
    sheet = await debtors.desk.client.get(
        f"/v1/dunning/agency-files/{files[0]['file_id']}", params={"form": "csv"}
    )

    (case,) = first
    assert [] == nothing
    assert ("case", invoice["number"], 24_900, 7_000) == (
        case["kind"], case["invoice_number"], case["principal_minor"], case["fee_minor"],
    )  # fmt: skip
    assert ("consumer", "NO", "2026-03-16") == (
        case["debtor_kind"],
        case["country"],
        case["due_on"],
    )
    assert [("payment", 10_000)] == [(one["kind"], one["amount_minor"]) for one in second]
    assert [("reversal", 10_000)] == [(one["kind"], one["amount_minor"]) for one in third]
    assert [("withdrawal", "Paid at our counter")] == [(one["kind"], one["why"]) for one in fourth]
    assert sheet.text.startswith("kind;key;invoice_number;reference;debtor;")
    assert 2 == len(sheet.text.splitlines())


async def test_what_the_agency_collected_kept_and_gave_back_is_booked_once(handed):
    debtors, invoice = handed
    number = invoice["number"]
    body = CASH + (
        f"payment;p1;{number};20000;NOK;2026-05-20;\r\n"
        f"fee;f1;{number};2500;NOK;2026-05-20;commission\r\n"
        f"withdrawal;w1;{number};;NOK;2026-05-21;debtor has moved abroad\r\n"
    )

    first, twin = await report(debtors, body), await report(debtors, body)
    more = f'{{"lines": [{{"kind": "payment", "id": "p1", "invoice_number": "{number}", "amount_minor": 20000, "on": "2026-05-20"}}]}}'
    again = await report(debtors, more, "application/json")
    case = await debtors.case(invoice)
    accounts = await debtors.desk.accounts()
    told = await write(debtors)

    assert (200, 1, 1, 1) == (
        first.status_code, first.json()["booked"], first.json()["fees"], first.json()["withdrawn"],
    )  # fmt: skip
    assert (3, 1) == (twin.json()["duplicates"], again.json()["duplicates"])
    # 70.00 of fees come first by the law of Norway.
    assert ("warned", 24_900 - 13_000) == (case["state"], case["open_minor"])
    assert (20_000 - 2_500, 2_500) == (accounts["agency"], accounts["agency_costs"])
    assert [] == [one for one in told if one["kind"] != "case"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("kind;id\r\npayment;x\r\n", "1 of 1 lines cannot be read"),
        (CASH + "payment;p1;NO-SUCH;100;NOK;2026-05-20;\r\n", "1 lines do not fit"),
        (CASH + "payment;p1;2026-000001;-5;NOK;2026-05-20;\r\n", "cannot be read"),
        (CASH + "payment;p1;2026-000001;5;EUR;2026-05-20;\r\n", "do not fit"),
        (CASH + "payment;p1;2026-000001;;NOK;2026-05-20;\r\n", "do not fit"),
        (CASH, "holds no line"),
        ('{"lines": [', "breaks at line 1"),
    ],
)
async def test_a_file_of_the_agencys_that_does_not_fit_is_refused_whole(handed, body, words):
    debtors, _ = handed
    answer = await report(debtors, body)

    assert (422, "urn:kantis:problem:agency-file-refused") == (
        answer.status_code,
        answer.json()["type"],
    )
    assert words in answer.json()["detail"]
    assert "agency" not in await debtors.desk.accounts()
