"""T45: five rounds at once, a clock that jumps, a payment that commits between: one reminder a level, none once paid."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from kantis_kit.testing.waiting import eventually
from orders_svc.dunning import running
from orders_svc.payments.schemas import PaymentIn
from orders_svc.payments.usecases import take_payment

ROUNDS = 5
WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def begin_rounds(debtors, group):
    """Begin five rounds beside that of the clock."""

    async def one():
        async with debtors.desk.tx() as tx:
            await running.run_page(tx, None)

    for _ in range(ROUNDS):
        group.create_task(one())


def jump(debtors, month, day):
    """Let it be noon of another day, later or earlier."""
    debtors.desk.rig.clock.set(datetime(2026, month, day, 12, tzinfo=UTC))
    debtors.desk.later(timedelta())


def told(debtors):
    """Return who was told what, and how often."""
    return sorted((str(one.person_id), one.kind) for one in debtors.told())


async def pay_while_rounds_wait(debtors, owed, paid):
    """Let money for some invoices be about to be booked when the rounds come to them."""
    desk = debtors.desk
    async with asyncio.TaskGroup() as group, desk.tx() as tx:
        for one in paid:
            given = PaymentIn(
                reference=one["reference"], amount_minor=one["total_minor"], paid_on=date(2026, 3, 29)
            )  # fmt: skip
            await take_payment(tx, given)
        await tx.flush()  # the invoices are locked from here to the commit
        jump(debtors, 3, 30)
        begin_rounds(debtors, group)

        async def all_wait():
            return (await desk.rows(WAITING))[0][0] >= ROUNDS

        await eventually(all_wait, message="the rounds do not wait for the payment")
    await desk.drain()
    late = [one for one in owed if one not in paid]
    assert sorted((str(one["person_id"]), "payment_reminder") for one in late) == told(debtors)
    return late


async def remind_at_once(debtors, count):
    """Play the whole; every second debtor pays."""
    desk = debtors.desk
    codes = [f"{letter * 5}{number}" for letter in "ABCDEFGH" for number in (1, 2)][:count]
    owed = [await debtors.owes(code) for code in codes]
    jump(debtors, 3, 29)
    late = await pay_while_rounds_wait(debtors, owed, owed[::2])

    for month, day in ((6, 1), (4, 1), (6, 2)):  # forward, back again, and forward
        jump(debtors, month, day)
        async with asyncio.TaskGroup() as group:
            begin_rounds(debtors, group)
        await desk.drain()
    cases = [await debtors.case(one) for one in owed]

    both = ("collection_warning", "payment_reminder")
    assert sorted((str(one["person_id"]), kind) for one in late for kind in both) == told(debtors)
    assert [[], ["remind", "warn"]] * (count // 2) == [
        [step["step"] for step in one["steps"]] for one in cases
    ]
    fees = sum(claim["amount_minor"] for one in cases for claim in one["claims"])
    assert 2 * 3_500 * len(late) == fees == (await desk.accounts())["claims"]


async def test_five_rounds_at_once_remind_once_and_nobody_whose_payment_has_committed(house):
    async with house(pool_size=20) as debtors:
        await remind_at_once(debtors, 2)


@pytest.mark.slow
async def test_five_rounds_at_once_over_sixteen_debtors(house):
    async with house(pool_size=20) as debtors:
        await remind_at_once(debtors, 16)
