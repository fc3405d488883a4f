"""A file that is too large for a request waits on the disk and is read in portions, whatever stops in between."""

import asyncio
import json
from datetime import timedelta

import pytest

from kantis_kit import failpoints
from orders_svc.payments import receiving
from orders_svc.payments.camt import CamtReader
from orders_svc.payments.ocrgiro import OcrReader


@pytest.fixture(autouse=True)
def no_failpoints_left():
    yield
    failpoints.disarm_all()


@pytest.fixture
def portions(monkeypatch):
    """Let every file be a large one, and a portion hold an entry or two."""
    monkeypatch.setattr(receiving, "AT_ONCE_BYTES", 0)
    monkeypatch.setattr(receiving, "PORTION_BYTES", 700)
    monkeypatch.setattr(receiving, "_PART", 300)


def waiting(bank):
    return list((bank.desk.rig.service.settings.data_dir / "payments").iterdir())


async def test_a_large_file_is_promised_then_read_and_booked_and_the_same_again_changes_nothing(
    bank, portions
):
    invoice = await bank.invoice()
    entries = [bank.entry(invoice["reference"], 1_000, ref=f"A{one}") for one in range(6)]
    body = bank.camt([*entries, bank.entry("", 700, ref="B1"), entries[0]])

    posted = await bank.desk.client.post(
        "/v1/payments/files", content=body, headers={"Content-Type": "application/xml"}
    )
    first = await bank.send(body)
    again = await bank.send(body)

    assert (202, f"/v1/payments/files/{first['file_id']}") == (
        posted.status_code,
        posted.headers["location"],
    )
    assert ("reading", len(body), 0, 0) == tuple(
        posted.json()[name] for name in ("state", "file_bytes", "read_bytes", "booked")
    )
    assert ("done", len(body), 8, 6, 1, 1, 0) == tuple(
        first[name]
        for name in ("state", "read_bytes", "entries", "booked", "held", "duplicates", "waiting")
    )
    assert {"no_reference": 1} == first["held_because"]
    assert first == again
    assert 6_700 == (await bank.desk.accounts())["bank"]
    assert [] == waiting(bank), "what is read is deleted"


async def test_a_reader_that_dies_goes_on_behind_the_last_entry_that_was_kept(bank, portions):
    invoice = await bank.invoice()
    died = asyncio.Event()
    failpoints.arm("timer.before_commit", "raise", nth=3)
    failpoints.on("timer.before_commit", died.set)
    entries = [bank.entry(invoice["reference"], 1_000 + one, ref=f"A{one}") for one in range(7)]

    posted = await bank.desk.client.post(
        "/v1/payments/files",
        content=bank.camt(entries),
        headers={"Content-Type": "application/xml"},
    )
    await asyncio.wait_for(died.wait(), 30)
    # What failed is tried again half a second later.
    bank.desk.later(timedelta(seconds=1))
    await bank.desk.drain()
    file = await bank.desk.get(f"/v1/payments/files/{posted.json()['file_id']}")

    assert ("done", 7, 7, 0) == tuple(
        file[name] for name in ("state", "entries", "booked", "duplicates")
    )
    assert [1_000 + one for one in range(7)] == [
        one["amount_minor"] for one in await bank.payments()
    ]


async def test_a_large_file_that_cannot_be_trusted_is_refused_later_and_taken_when_it_is_right(
    bank, portions
):
    one = bank.entry("12344", 100, ref="A1")
    cut = bank.camt([one] * 5)[:-300]
    others = bank.camt([one], account="NO9386011117947")

    refused = await bank.send(cut)
    foreign = await bank.send(others)
    settings = bank.desk.rig.service.settings
    object.__setattr__(settings, "further_bank_accounts", ("NO9386011117947",))
    taken = await bank.send(others)

    assert ("refused", 0, 0) == tuple(refused[name] for name in ("state", "entries", "waiting"))
    assert "ends in the middle" in refused["problem"]
    assert "Nothing of it was booked" in refused["problem"]
    assert [] == await bank.desk.rows("SELECT 1 FROM payment_entry")
    assert "which is not ours" in foreign["problem"]
    assert ("done", 1) == (taken["state"], taken["held"])
    assert [] == waiting(bank)


async def test_a_file_that_is_gone_from_the_disk_says_that_it_must_be_sent_again(bank, portions):
    body = bank.camt([bank.entry("12344", 100, ref="A1")] * 5)
    failpoints.arm("timer.before_commit", "raise", nth=1)
    died = asyncio.Event()
    failpoints.on("timer.before_commit", died.set)

    await bank.desk.client.post(
        "/v1/payments/files", content=body, headers={"Content-Type": "application/xml"}
    )
    await asyncio.wait_for(died.wait(), 30)
    for path in waiting(bank):
        path.unlink()
    bank.desk.later(timedelta(seconds=1))
    await bank.desk.drain()
    ((state, problem),) = await bank.desk.rows("SELECT state, problem FROM payment_file")

    assert ("refused", True) == (state, "send it again" in problem)


def read(kind, body, *, stopped):
    """Read a file in parts of nine bytes; one that is stopped behind every entry is gone on with by another reader."""
    reader, found, at, kept = kind(), [], 0, 0
    while at < len(body):
        found += reader.feed(body[at : at + 9])
        at += 9
        if stopped and reader.offset > kept:
            reader = kind.at(json.loads(json.dumps(reader.checkpoint())))
            at = kept = reader.offset
    return found + reader.close(), (reader.message_id, reader.skipped)


WAYS = {
    "plain": lambda text: text.encode(),
    "utf-16": lambda text: text.replace("UTF-8", "UTF-16").encode("utf-16"),
    "windows-1252": lambda text: text.replace("UTF-8", "windows-1252").encode("windows-1252"),
    "a prefix": lambda text: (
        text.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?")
        .replace("xmlns=", "xmlns:x=").encode()
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_reader_that_goes_on_reads_what_one_that_was_not_stopped_reads(bank_files, way):
    entries = [
        bank_files.entry(f"1234{one}", 100 + one, ref=f"A{one}", name="Kåre Næss").replace(
            "<Sts>", "\n<Sts>"
        )
        for one in range(5)
    ]
    sums = "<TxsSummry><TtlNtries><NbOfNtries>5</NbOfNtries><Sum>5.10</Sum></TtlNtries></TxsSummry>"
    entries.insert(2, bank_files.entry("1", 0, ref="B", state="PDNG"))
    sums = sums.replace(">5<", ">6<")
    body = WAYS[way](bank_files.camt(entries, sums=sums).decode())
    whole = read(CamtReader, body, stopped=False)

    assert 5 == len(whole[0])
    assert {"Kåre Næss"} == {one.payer_name for one in whole[0]}
    assert whole == read(CamtReader, body, stopped=True)


def test_a_reader_of_ocr_goes_on_in_the_middle_of_a_transaction(bank_files):
    body = bank_files.ocr([(f"1234{one}", 100 + one, "10") for one in range(5)])

    assert read(OcrReader, body, stopped=False) == read(OcrReader, body, stopped=True)
