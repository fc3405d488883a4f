"""Names stay in the books for the years that the law wants, whatever else is forgotten, and not a day longer."""

from datetime import UTC, datetime

from orders_svc.privacy import jobs

BOOKS = "SELECT payer_name, state FROM payment ORDER BY amount_minor"
NAMES = "SELECT recipient <> '', buyer <> '{}' FROM invoice ORDER BY paid_minor"


async def keep_house(desk, year, month, day):
    """Let the night's work be done on a day."""
    desk.rig.clock.set(datetime(year, month, day, 2, tzinfo=UTC))
    async with desk.tx() as tx:
        await jobs.retain.function(tx)


async def test_who_paid_and_who_was_invoiced_is_emptied_after_the_lawful_years(desk):
    await desk.ready("ABCDE2")
    invoice = await desk.ship((await desk.order(code="ABCDE2"))["order_id"])
    owed = await desk.ship((await desk.order(code="ABCDE2", again=True))["order_id"])
    name = {"payer_name": "Kari Nordmann"}
    await desk.pay(invoice["reference"], invoice["total_minor"], **name)
    await desk.pay("999", 7, **name)
    before = invoice["total_minor"], owed["open_minor"]

    await keep_house(desk, 2031, 12, 31)
    kept = await desk.rows(BOOKS), await desk.rows(NAMES)
    await keep_house(desk, 2032, 1, 1)
    left = await desk.rows(BOOKS), await desk.rows(NAMES)

    assert (
        [("Kari Nordmann", "unmatched"), ("Kari Nordmann", "booked")],
        [(True, True)] * 2,
    ) == kept
    assert (
        [("Kari Nordmann", "unmatched"), ("", "booked")],
        [(True, True), (False, False)],
    ) == left
    assert [before] == await desk.rows(
        "SELECT max(paid_minor), max(total_minor) FILTER (WHERE paid_minor = 0) FROM invoice"
    )
