"""The ledger holds by the database, not by our care."""

import pytest

from kantis_kit.ids import new_id
from orders_svc.billing.ledger import Booking, Entry, Unbalanced, book
from orders_svc.billing.model import Account


def booking(*amounts, kind="test", subject_id=None):
    accounts = (Account.BANK, Account.RECEIVABLES, Account.VAT)
    entries = tuple(
        Entry(account, amount) for account, amount in zip(accounts, amounts, strict=False)
    )
    return Booking(kind, subject_id or new_id(), "NOK", entries)


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
                "INSERT INTO ledger_transaction VALUES ($1, 'test', $2, now())",
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
