"""The ledger holds by the database, not by our care; periods are locked, and leave as files."""

import asyncio
import shlex
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually
from orders_svc.billing.credit_notes import credit_lines
from orders_svc.billing.ledger import Booking, Entry, book
from orders_svc.billing.ledger.booking import Unbalanced
from orders_svc.billing.ledger.chart import CHARTS, account_number
from orders_svc.billing.model import Account
from orders_svc.settings import OrdersSettings

PERIOD = {"first_on": "2026-03-01", "last_on": "2026-03-31"}


def booking(*amounts, kind="test", subject_id=None, booked_on=None):
    accounts = (Account.BANK, Account.RECEIVABLES, Account.VAT)
    entries = tuple(
        Entry(account, amount) for account, amount in zip(accounts, amounts, strict=False)
    )
    return Booking(kind, subject_id or new_id(), "NOK", entries, booked_on)


async def test_a_booking_that_does_not_balance_is_refused(desk):
    with pytest.raises(Unbalanced):
        async with desk.tx() as tx:
            await book(tx, [booking(100, -99)])

    assert {} == await desk.accounts()


async def test_the_database_refuses_at_the_commit_what_does_not_balance(desk):
    pool = await desk.rig.service.database.pool()
    transaction_id, subject_id = new_id(), new_id()

    async def post_one_sided() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO ledger_transaction (transaction_id, kind, subject_id, booked_at)"
                " VALUES ($1, 'test', $2, now())",
                transaction_id,
                subject_id,
            )
            await connection.execute(
                "INSERT INTO posting VALUES ($1, 1, 'bank', 'NOK', 100), ($1, 2, 'bank', 'SEK', -100)",
                transaction_id,
            )

    with pytest.raises(Exception, match="does not balance"):
        await post_one_sided()

    assert [(0,)] == await desk.rows("SELECT count(*) FROM ledger_transaction")


async def test_a_fact_is_booked_once(desk):
    subject_id = new_id()
    async with desk.tx() as tx:
        await book(tx, [booking(100, -100, subject_id=subject_id)])

    with pytest.raises(Exception, match="ledger_transaction_once"):
        async with desk.tx() as tx:
            await book(tx, [booking(100, -100, subject_id=subject_id)])

    assert {"bank": 100, "receivables": -100} == await desk.accounts()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE posting SET amount_minor = 1",
        "DELETE FROM posting",
        "UPDATE ledger_transaction SET kind = 'x'",
        "DELETE FROM ledger_transaction",
    ],
)
async def test_what_is_booked_is_never_changed(desk, statement):
    async with desk.tx() as tx:
        await book(tx, [booking(100, -100)])

    with pytest.raises(Exception, match="append-only"):
        await desk.rows(statement)


async def test_sides_of_nothing_are_left_out_and_a_fact_of_nothing_books_nothing(desk):
    async with desk.tx() as tx:
        await book(tx, [booking(100, -100, 0), booking(0, 0, 0)])

    assert [(1, 2)] == await desk.rows(
        "SELECT count(DISTINCT transaction_id), count(*) FROM posting"
    )


async def lock(desk, until, reason="VAT is reported"):
    return await desk.client.post(
        "/v1/ledger/locks", json={"locked_until": until, "reason": reason}
    )


async def waits(desk):
    return bool(await desk.rows(WAITING))


async def days(desk):
    return [str(day) for (day,) in await desk.rows(BOOKED_ON)]


WAITING = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
BOOKED_ON = "SELECT booked_on FROM ledger_transaction ORDER BY transaction_id"


async def test_nothing_is_booked_into_a_locked_period_and_what_belongs_there_goes_to_the_open_one(
    desk,
):
    async with desk.tx() as tx:
        await book(tx, [booking(100, -100, booked_on=date(2026, 2, 27))])

    assert 201 == (await lock(desk, "2026-02-28")).status_code
    async with desk.tx() as tx:
        await book(
            tx,
            [
                booking(100, -100, booked_on=date(2026, 2, 27)),
                booking(100, -100, booked_on=date(2026, 3, 1)),
                booking(100, -100),
            ],
        )

    assert ["2026-02-27", "2026-03-02", "2026-03-01", "2026-03-02"] == await days(desk)
    locked = await desk.get("/v1/ledger/trial-balance", first_on="2026-02-01", last_on="2026-02-28")
    assert locked["is_locked"]
    assert {"1500": 100, "1920": 100} == {
        row["number"]: row["debit_minor"] + row["credit_minor"] for row in locked["rows"]
    }


async def test_who_locks_waits_for_what_is_being_booked(desk):
    async with desk.tx() as tx:
        await book(tx, [booking(100, -100, booked_on=date(2026, 2, 27))])
        locking = asyncio.ensure_future(lock(desk, "2026-02-28"))
        await eventually(lambda: waits(desk), message="who locks waits")
        assert not locking.done()

    assert 201 == (await locking).status_code
    assert ["2026-02-27"] == await days(desk)


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("2026-03-02", "is not over"),
        ("2027-01-01", "is not over"),
        ("2026-02-28", "locked until 2026-02-28 already"),
        ("2026-01-31", "corrected in the open period"),
    ],
)
async def test_a_lock_is_of_a_past_that_is_not_locked_and_is_never_taken_back(desk, until, told):
    await lock(desk, "2026-02-28")

    answer = await lock(desk, until)
    locks = await desk.get("/v1/ledger/locks")

    assert (409, "urn:kantis:problem:period-locked") == (
        answer.status_code,
        answer.json()["type"],
    )
    assert told in answer.json()["detail"]
    assert ["2026-02-28"] == [one["locked_until"] for one in locks["items"]]
    with pytest.raises(Exception, match="append-only"):
        await desk.rows("DELETE FROM ledger_lock")


async def test_a_trial_balance_tells_before_and_within_per_account_and_rate(desk):
    await desk.ready("ABCDE2", stock=9)
    await desk.product(9, sku="BOOK", name="Bok", price_minor=10_000, vat_pct=0)
    lines = [{"sku": "BLANKET", "quantity": 1}, {"sku": "BOOK", "quantity": 1}]
    invoice = await desk.ship((await desk.order(code="ABCDE2", lines=lines))["order_id"])
    desk.rig.clock.set(datetime(2026, 4, 2, 8, tzinfo=UTC))
    async with desk.tx() as tx:
        await credit_lines(tx, UUID(invoice["invoice_id"]), {2: 1}, reason="Retur")
    desk.rig.clock.set(datetime(2026, 3, 2, 8, tzinfo=UTC))

    march = await desk.get("/v1/ledger/trial-balance", **PERIOD)
    april = await desk.get("/v1/ledger/trial-balance", first_on="2026-04-01", last_on="2026-04-30")
    wrong = await desk.client.get(
        "/v1/ledger/trial-balance", params={"first_on": "2026-04-01", "last_on": "2026-03-01"}
    )

    def shown(balance):
        names = ("opening_minor", "debit_minor", "credit_minor", "closing_minor")
        return {row["number"]: tuple(row[name] for name in names) for row in balance["rows"]}

    assert {
        "1500": (0, 34_900, 0, 34_900),
        "2700": (0, 0, 4_980, -4_980),
        "3000": (0, 0, 19_920, -19_920),
        "3100": (0, 0, 10_000, -10_000),
    } == shown(march)
    assert (34_900, 0, 10_000, 24_900) == shown(april)["1500"]
    assert (-10_000, 10_000, 0, 0) == shown(april)["3100"]
    assert 422 == wrong.status_code


async def test_what_was_booked_about_an_invoice_is_told_whole_and_of_no_other(desk):
    await desk.ready("ABCDE2")
    one = await desk.ship((await desk.order(code="ABCDE2"))["order_id"])
    async with desk.tx() as tx:
        await book(tx, [booking(100, -100)])
    await desk.pay(one["reference"], 10_000)

    told = (await desk.get("/v1/ledger/vouchers", invoice_id=one["invoice_id"]))["items"]

    assert ["invoice", "payment"] == [voucher["kind"] for voucher in told]
    assert one["number"] == told[0]["label"]
    sides = [
        {(side["number"], side["amount_minor"]) for side in voucher["sides"]} for voucher in told
    ]
    assert [
        {("1500", 24_900), ("3000", -19_920), ("2700", -4_980)},
        {("1920", 10_000), ("1500", -10_000)},
    ] == sides
    nothing = await desk.get("/v1/ledger/vouchers", invoice_id=str(new_id()))
    assert {"items": []} == nothing


async def test_the_sie_file_holds_every_voucher_balanced_and_in_its_own_letters(desk):
    await desk.ready("ABCDE2")
    invoice = await desk.ship((await desk.order(code="ABCDE2"))["order_id"])
    await desk.pay(invoice["reference"], 10_000)

    answer = await desk.client.get("/v1/ledger/sie", params=PERIOD)

    lines = [shlex.split(line) for line in answer.content.decode("cp437").split("\r\n") if line]
    fields = {line[0]: line[1:] for line in lines}
    assert (["PC8"], ["4"], ["NOK"]) == tuple(
        fields[f"#{n}"] for n in ("FORMAT", "SIETYP", "VALUTA")
    )
    assert ["0", "20260301", "20260331"] == fields["#RAR"]
    accounts = {line[1]: line[2] for line in lines if line[0] == "#KONTO"}
    assert "Utgående merverdiavgift, høy sats".replace("ø", "?") == accounts["2700"]
    assert [f"invoice {invoice['number']}", "payment"] == [
        line[4] for line in lines if line[0] == "#VER"
    ]
    moved = [(line[1], Decimal(line[3])) for line in lines if line[0] == "#TRANS"]
    assert 0 == sum(amount for _, amount in moved)
    assert {number for number, _ in moved} == set(accounts)
    closing = {line[2]: Decimal(line[3]) for line in lines if line[0] == "#UB"}
    assert {"1500": Decimal(149), "1920": Decimal(100), "2700": Decimal("-49.80")} == closing
    assert ["0", "3000", "-199.20"] in [line[1:] for line in lines if line[0] == "#RES"]


def test_every_account_of_every_country_has_a_number_of_its_own():
    for country, chart in CHARTS.items():
        settings = OrdersSettings(company_country=country)
        numbers = [account_number(account, None, settings)[0] for account in Account]

        assert len(Account) == len(set(numbers))
        assert len(chart) == len({number for number, _ in chart.values()})


def test_a_declared_account_comes_before_the_charts():
    settings = OrdersSettings(ledger_accounts={"bank": "1950", "vat/25.5": "2712"})

    assert "1950" == account_number(Account.BANK, None, settings)[0]
    assert "2712" == account_number(Account.VAT, Decimal("25.50"), settings)[0]
    assert "2701" == account_number(Account.VAT, Decimal("15.00"), settings)[0]
