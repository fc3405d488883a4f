"""T42: notices of payments that come twice, in parts, too large, too late or in other money: each is booked once."""

import asyncio
import random

import pytest

OWED = 24_900


async def pay_every_way(bank, seed):
    """Send each notice several times, in any sequence and at once; hold what the ledger says."""
    parts, over, cancelled, foreign = [
        await bank.invoice(code) for code in ("ABCDE2", "FFFFF1", "GGGGG2", "HHHHH3")
    ]
    path = f"/v1/invoices/{cancelled['invoice_id']}/credit-notes"
    credited = await bank.desk.client.post(
        path, json={"reason": "Called off", "lines": [{"line_no": 1, "quantity": 1}]}
    )
    assert 201 == credited.status_code, credited.text
    notices = [
        bank.entry(parts["reference"], 10_000, ref="P1"),
        bank.entry(parts["reference"], OWED - 10_000, ref="P2"),
        bank.entry(over["reference"], OWED + 100, ref="O1"),
        bank.entry(cancelled["reference"], OWED, ref="C1"),
        bank.entry(foreign["reference"], 700, ref="F1", currency="SEK"),
    ]
    rng = random.Random(seed)
    files = [bank.camt(rng.sample(notices * 2, 2 * len(notices))) for _ in range(3)]

    headers = {"Content-Type": "application/xml"}
    answers = await asyncio.gather(
        *(
            bank.desk.client.post("/v1/payments/files", content=body, headers=headers)
            for body in (*files, files[0])
        )
    )
    await bank.desk.drain()
    told = (await bank.desk.get("/v1/payments/files"))["items"]
    balance = await bank.desk.get("/v1/ledger/balance")
    payments = await bank.payments()
    open_minor = [
        (await bank.desk.get(f"/v1/invoices/{one['invoice_id']}"))["open_minor"]
        for one in (parts, over, cancelled, foreign)
    ]

    assert {200, 202} >= {answer.status_code for answer in answers}
    assert (3, {"done"}) == (len(told), {one["state"] for one in told})
    assert (4, 1, 3 * 10 - 5) == tuple(
        sum(one[name] for one in told) for name in ("booked", "held", "duplicates")
    )
    assert 5 == len(payments)
    assert [0, 0, 0, OWED] == open_minor
    assert balance["is_balanced"]
    sums = {(one["account"], one["currency"]): one["amount_minor"] for one in balance["accounts"]}
    assert (3 * OWED + 100, OWED, -OWED - 100) == (
        sums["bank", "NOK"],
        sums["receivables", "NOK"],
        sums["customer_credit", "NOK"],
    )
    assert (700, -700) == (sums["bank", "SEK"], sums["unmatched", "SEK"])


@pytest.mark.parametrize("seed", [1, 2])
async def test_notices_that_come_at_once_and_again_are_booked_once_each_for_what_they_are(
    bank, seed
):
    await pay_every_way(bank, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 33))
async def test_notices_in_thirty_sequences(bank, seed):
    await pay_every_way(bank, seed)
