"""Who asks to be forgotten is forgotten here; the books stay, and are restricted."""

import re
from datetime import date, timedelta

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.contacts.privacy import (
    ErasureRequest,
    ErasureRequestedV1,
    RetentionChangedV1,
    RetentionPeriod,
)
from kantis_contracts.orders import OrdersErasureCompletedV1
from kantis_kit.ids import new_id
from kantis_kit.retention import keep
from kantis_kit.tx import write
from orders_svc.base import Base
from orders_svc.privacy.model import legal_years
from orders_svc.privacy.retention import RULES, drop_restricted
from orders_svc.privacy.usecases import KEPT

SECRETS = re.compile("zorro|wrapped", re.IGNORECASE)
BOOKS = "restricted_recipient"


def erasure(desk, *person_ids, **more):
    item = ErasureRequest(
        erasure_id=new_id(), person_ids=person_ids, requested_at=desk.rig.clock.now()
    )
    return ErasureRequestedV1(items=(item,), **more)


async def found(desk):
    pool = await desk.rig.service.database.pool()
    tables = await pool.fetch(
        "SELECT quote_ident(table_name) AS name FROM information_schema.tables"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    return {
        table["name"]
        for table in tables
        for row in await pool.fetch(f"SELECT t::text AS text FROM {table['name']} t")
        if SECRETS.search(row["text"])
    }


async def test_the_person_goes_and_the_books_stay_with_the_recipient_kept_apart(desk):
    product = await desk.ready("FFFFF1")
    kari = desk.person(full_name="Zorro Nordmann")
    await desk.rig.publish(PersonChangedV1(items=(kari,)), desk.piece(kari, product, "ABCDE2"))
    await desk.drain()
    answer = await desk.order(code="ABCDE2", note="please have it wrapped")
    invoice = await desk.ship(answer["order_id"])
    await desk.drain()
    before = await found(desk)

    await desk.rig.publish(erasure(desk, kari.person_id))
    await desk.drain()
    await desk.rig.publish(PersonChangedV1(items=(kari.model_copy(update={"version": 9}),)))
    await desk.drain()

    assert {"person", "invoice", "response"} <= before
    assert {BOOKS} == await found(desk)
    shown = await desk.get(f"/v1/invoices/{invoice['invoice_id']}")
    assert invoice["total_minor"] == shown["total_minor"]
    (receipt,) = desk.rig.items(OrdersErasureCompletedV1)
    kept = {one.kind: one for one in receipt.kept}
    assert (1, 1) == (kept["invoice"].rows, receipt.removed["invoice"])
    assert "law" in kept["invoice"].reason
    pool = await desk.rig.service.database.pool()
    rows = await pool.fetch("SELECT recipient, keep_until FROM restricted_recipient")
    ((recipient, until),) = [tuple(row) for row in rows]
    assert "Zorro" in recipient
    assert date(desk.rig.clock.now().year + 5, 12, 31) == until


@pytest.mark.parametrize(
    ("country", "years"), [("NO", 5), ("SE", 7), ("DK", 5), ("FI", 6), ("IS", 7), ("DE", 10)]
)
def test_vouchers_are_kept_for_the_years_of_the_companys_country(country, years):
    assert years == legal_years(country)


def test_every_table_that_names_a_person_has_a_reason_to_stay():
    named = {name for name, table in Base.metadata.tables.items() if "person_id" in table.c}
    assert named == KEPT.keys()


async def test_what_was_written_and_restricted_goes_when_its_time_is_over(desk):
    product = await desk.ready("FFFFF1")
    kari = desk.person(full_name="Zorro Nordmann")
    await desk.rig.publish(PersonChangedV1(items=(kari,)), desk.piece(kari, product, "ABCDE2"))
    await desk.drain()
    answer = await desk.order(code="ABCDE2", note="please have it wrapped")
    await desk.ship(answer["order_id"])
    period = RetentionPeriod(kind="orders.response", days=90, version=1)
    foreign = RetentionPeriod(kind="messaging.dispatch", days=30, version=1)
    await desk.rig.publish(RetentionChangedV1(items=(period, foreign)))
    await desk.rig.publish(erasure(desk, kari.person_id, services=("messaging",)))  # not us
    await desk.drain()
    pool = await desk.rig.service.database.pool()
    kinds = [row["kind"] for row in await pool.fetch("SELECT kind FROM keep_period")]
    note = "SELECT count(*) FROM response WHERE note <> ''"
    before = await pool.fetchval(note)

    async with write(desk.rig.service.scope) as tx:
        early = await keep(tx, RULES, service="orders")
    desk.rig.clock.advance(timedelta(days=91))
    async with write(desk.rig.service.scope) as tx:
        done = await keep(tx, RULES, service="orders")

    assert ["orders.response"] == kinds
    assert (1, {}, 0) == (before, early, await pool.fetchval(note))
    assert 1 == done["orders.response"]

    await desk.rig.publish(erasure(desk, kari.person_id))
    await desk.drain()
    assert 1 == await pool.fetchval("SELECT count(*) FROM restricted_recipient")
    desk.rig.clock.advance(timedelta(days=6 * 366))
    async with write(desk.rig.service.scope) as tx:
        await drop_restricted(tx)
    assert 0 == await pool.fetchval("SELECT count(*) FROM restricted_recipient")
