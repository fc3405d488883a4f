"""A file is booked in portions: each in as many statements whatever it holds, and none twice when one dies."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import event

from kantis_kit import failpoints
from orders_svc.payments import files

WRITTEN = ("payment", "invoice", "sales_order", "ledger_transaction", "posting")


@pytest.fixture(autouse=True)
def no_failpoints_left():
    yield
    failpoints.disarm_all()


@pytest.fixture
def writes(bank):
    """Count per table what was sent to the database to write into it; many rows one by one are many."""
    found = Counter()

    def count(_connection, _cursor, statement, parameters, _context, executemany):
        words = statement.replace('"', "").split()
        at = next((n for n, word in enumerate(words) if word in ("INSERT", "UPDATE")), None)
        if at is not None and ("SET" in words or "INTO" in words):
            table = words[at + 2] if words[at] == "INSERT" else words[at + 1]
            found[table] += len(parameters) if executemany else 1

    engine = bank.desk.rig.service.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    yield found
    event.remove(engine, "before_cursor_execute", count)


async def test_a_portion_is_one_statement_per_table_however_many_entries_it_holds(bank, writes):
    owed = [
        await bank.invoice(code, full_name=name)
        for code, name in (("ABCDE2", "Kari Næss"), ("FFFFF1", "Ola Nordmann"))
    ]
    entries = [
        bank.entry(one["reference"], minor, ref=f"{one['number']}-{minor}")
        for one in owed
        for minor in (one["total_minor"] - 100, 40, 60, 5)
    ]
    entries += [bank.entry("12345", 700, ref="X1"), bank.entry("", 800, ref="X2", name="Per")]
    writes.clear()

    file = await bank.send(bank.camt(entries))
    shown = [await bank.desk.get(f"/v1/invoices/{one['invoice_id']}") for one in owed]

    assert (8, 2, "done") == (file["booked"], file["held"], file["state"])
    assert [0, 0] == [one["open_minor"] for one in shown]
    assert {
        "payment": 2,
        "invoice": 1,
        "sales_order": 1,
        "ledger_transaction": 2,
        "posting": 2,
    } == {name: writes[name] for name in WRITTEN}, (
        "what is held is written and booked beside what is settled"
    )
    accounts = await bank.desk.accounts()
    assert (-10, -1_500) == (accounts["customer_credit"], accounts["unmatched"])


async def test_a_portion_that_dies_leaves_nothing_and_the_file_goes_on_where_it_was(
    bank, monkeypatch
):
    monkeypatch.setattr(files, "CHUNK", 2)
    invoice = await bank.invoice()
    died = asyncio.Event()
    failpoints.arm("timer.before_commit", "raise", nth=2)
    failpoints.on("timer.before_commit", died.set)
    entries = [bank.entry(invoice["reference"], 1_000, ref=f"A{one}") for one in range(5)]

    posted = await bank.desk.client.post(
        "/v1/payments/files",
        content=bank.camt(entries),
        headers={"Content-Type": "application/xml"},
    )
    await asyncio.wait_for(died.wait(), 30)
    await bank.desk.drain()
    file = await bank.desk.get(f"/v1/payments/files/{posted.json()['file_id']}")
    numbered = [one["applied_minor"] for one in await bank.payments()]

    assert ("done", 5, 0, 0) == (file["state"], file["booked"], file["duplicates"], file["waiting"])
    assert [1_000] * 5 == numbered
    assert 5_000 == (await bank.desk.accounts())["bank"]
