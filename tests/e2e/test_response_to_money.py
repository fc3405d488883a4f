"""From an answer to money: five ways in, one way out, and what the law lets a company do about who does not pay."""

from datetime import date

import pytest
from stories.desk import (
    accounts,
    arrive,
    case_of,
    decide,
    hear_from_agency,
    invoice_of,
    key,
    launch,
    pay_part,
    pick,
    post_letters,
    send_back,
    send_file,
    send_parcel,
    write_to_agency,
)
from stories.steps import address_of, know, sell

pytestmark = pytest.mark.timeout(
    600
)  # against hanging: a whole house on a busy machine takes its time

FULL_PRICE, PRICE, FEE, COMMISSION = 50_000, 40_000, 3_500, 5_000
LETTER = {"nb": {"subject": "Lampe", "letter": "{{ greeting() }},\n\nLampen er her igjen."}}
NAMES = ("Kari", "Ola", "Per", "Eva", "Ida", "Nils")
DAYS = (
    (date(2026, 3, 29), date(2026, 3, 30)),
    (date(2026, 4, 16), date(2026, 4, 17)),
    (date(2026, 5, 7), date(2026, 5, 8)),
)
"""When the law and the grace for money on its way let a step be taken, and the day before each."""
SALES = ("tilbud", "rabatt", "kampanje", "kjøp")
SENT_BACK = {"op": "returns", "within_days": 90}


async def offer(house):
    """Offer everybody a lamp by a letter with a key code; return the campaign, who they are and which codes they hold."""
    lamp = await sell(house, "lampe", FULL_PRICE)
    template = await house.post("/v1/templates", {"name": "Lampe", "languages": LETTER})
    people = {
        name: await know(house, name, "letter", phone=f"+47 412 34 50{number}")
        for number, name in enumerate(NAMES)
    }
    await house.rest()
    cells = {"NO-LAMPE-A": template["id"], "NO-LAMPE-B": template["id"]}
    path, held = await launch(house, "Lampe", cells, product_id=lamp, price_minor=PRICE)
    await post_letters(house)
    return path, people, {name: held[person_id] for name, person_id in people.items()}


async def answer(house, codes):
    """Let each answer in another way; Nils wants nothing, and what Per wants no machine can read for certain."""
    batch = await key(house, {codes["Kari"]: ["order"]})
    scanned = await send_file(house, "skanner", f"{codes['Ola']}J\n{codes['Nils']}N\n", rows=2)
    read = await send_file(house, "lesemaskin", f"KODE;SVAR;SIKKER\n{codes['Per']};N;61\n", rows=1)
    await decide(house, read, kind="order")
    call = '{"nummer": "412 34 503", "vare": "lampe", "samtale": "s-1"}\n'
    rang = await send_file(house, "sentralbord", call, rows=1)
    await house.browse("GET", f"/r/{codes['Ida']}")
    await house.browse("POST", f"/r/{codes['Ida']}", data={"kind": "order", "quantity": "1"})
    await house.rest()
    assert (0, 2, 1, 1) == (
        batch["totals"]["left"], scanned["registered"], read["in_review"], rang["registered"],
    )  # fmt: skip
    return (await house.get("/v1/responses", limit=100))["items"]


async def fulfil(house, orders):
    """Pick all in a wave, pack each with a label, and let it arrive; return the invoices."""
    wave = await pick(house, len(orders))
    parcels = [await send_parcel(house, order_id) for order_id in orders.values()]
    await house.rest()
    outcomes = await arrive(house, [code for code, _ in parcels])
    assert ("picked", ["delivered"] * len(orders)) == (wave["state"], outcomes)
    assert all(label.startswith(b"%PDF") for _, label in parcels)
    return {name: await invoice_of(house, order_id) for name, order_id in orders.items()}


# Every time on both brokers, unlike stories that cross fewer services: here is where money would be counted twice.
@pytest.mark.parametrize(
    "house", ["embedded", pytest.param("rabbitmq", marks=pytest.mark.rabbit)], indirect=True
)
async def test_five_answers_are_shipped_and_invoiced_and_each_debt_ends_as_the_law_says(house):
    campaign, people, codes = await offer(house)
    who = {person_id: name for name, person_id in people.items()}
    answers = {who[one["person_id"]]: one for one in await answer(house, codes)}
    orders = {name: one["order_id"] for name, one in answers.items() if one["order_id"]}
    invoices = await fulfil(house, orders)

    # Kari pays in time, Eva sends the lamp back, Ida says that hers was broken.
    await house.live(days=8)
    await pay_part(house, invoices["Kari"], PRICE)
    returned = await send_back(house, orders["Eva"], "lampe")
    segment = await house.post("/v1/segments", {"name": "Retur", "condition": SENT_BACK})
    senders = (await house.get(f"/v1/segments/{segment['id']}/members"))["items"]
    await house.live(days=10)
    broken = {"step": "dispute", "note": "Skjermen var knust"}
    await house.post(f"/v1/invoices/{invoices['Ida']['invoice_id']}/dunning", broken)
    # Per pays half when he is reminded and the rest when he is warned, Ola pays nothing. The day before, nothing happens.
    for (before, day), amount_minor in zip(
        DAYS, (PRICE // 2, PRICE // 2 + 2 * FEE, 0), strict=True
    ):
        await house.on_day(before)
        await house.on_day(day)
        if amount_minor:
            await pay_part(house, invoices["Per"], amount_minor)
    told = await write_to_agency(house)
    number, today = invoices["Ola"]["number"], house.now.date()
    report = await hear_from_agency(
        house,
        f"payment;p-1;{number};{PRICE + 2 * FEE};NOK;{today};",
        f"fee;f-1;{number};{COMMISSION};NOK;{today};salær",
    )
    cases = {name: await case_of(house, invoice) for name, invoice in invoices.items()}
    seen = {
        name: (await house.get(f"/v1/contacts/{person_id}/timeline", limit=200))["items"]
        for name, person_id in people.items()
    }
    counted = await house.get(f"/v1/reports/{campaign.removeprefix('/v1/')}")

    assert {
        "Kari": ("order", "keyed"), "Ola": ("order", "barcode"), "Per": ("order", "optical"),
        "Eva": ("order", "phone"), "Ida": ("order", "web"), "Nils": ("refusal", "barcode"),
    } == {name: (one["kind"], one["way"]) for name, one in answers.items()}  # fmt: skip
    assert 5 == len({one["reference"] for one in invoices.values()})
    # Eva's call named no piece: she is asked for the price of the catalogue, and it is no answer to the campaign.
    assert {**dict.fromkeys(orders, PRICE), "Eva": FULL_PRICE} == {
        name: one["total_minor"] for name, one in invoices.items()
    }
    assert {"2026-03-16"} == {one["due_on"] for one in invoices.values()}
    assert (FULL_PRICE, [people["Eva"]]) == (
        returned["refund_minor"],
        [one["person_id"] for one in senders],
    )
    # Fourteen days and three for money on its way before each step, and none on a day that is no working day.
    reminded, warned = ("remind", "2026-03-30", FEE), ("warn", "2026-04-17", FEE)
    assert {
        "Kari": [], "Eva": [], "Ida": [("dispute", "2026-03-20", 0)], "Per": [reminded, warned],
        "Ola": [reminded, warned, ("hand_over", "2026-05-08", 0)],
    } == {
        name: [(step["step"], step["taken_on"], step["fee_minor"]) for step in one["steps"]]
        for name, one in cases.items()
    }  # fmt: skip
    assert ["Ida"] == [name for name, one in cases.items() if not one["is_over"]]
    reminder, warning = house.mails_to(address_of("Per"))[-2:]
    assert "435,00\xa0kr" in reminder
    assert "270,00\xa0kr" in warning
    assert not [word for word in SALES if word in (reminder + warning).casefold()]
    assert [("case", number, PRICE, 2 * FEE)] == [
        (one["kind"], one["invoice_number"], one["principal_minor"], one["fee_minor"])
        for one in told
    ]
    assert (1, 1) == (report["booked"], report["fees"])
    # What is left is what Ida disputes; the lamp of Eva is neither revenue nor owed.
    sums = {name: minor for name, minor in (await accounts(house)).items() if minor}
    assert {
        "bank": 2 * PRICE + 2 * FEE, "agency": PRICE + 2 * FEE - COMMISSION, "agency_costs": COMMISSION,
        "receivables": PRICE, "fee_income": -4 * FEE, "revenue": -4 * 32_000, "vat": -4 * 8_000,
    } == sums  # fmt: skip
    total = counted["total"]
    assert (6, 5, 4, 3, 3 * PRICE) == (
        total["sent"], total["responded"], total["ordered"], total["paid"], total["received_minor"],
    )  # fmt: skip
    lived = {
        name: {(one["kind"], one["what"]) for one in entries if one["kind"] in ("order", "response", "return")}
        for name, entries in seen.items()
    }  # fmt: skip
    ordered = {
        ("response", "order"),
        *(("order", what) for what in ("placed", "shipped", "delivered")),
    }
    paid = {*ordered, ("order", "paid")}
    assert {
        "Kari": paid, "Ola": paid, "Per": paid, "Eva": {*ordered, ("return", "returned")}, "Ida": ordered,
        "Nils": {("response", "refusal")},
    } == lived  # fmt: skip
    assert [] == [one for entries in seen.values() for one in entries if one["what"] == "task"]
