"""Facts that other services tell: the same rows in whatever order they come, and however often."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from contacts_svc.main import SPEC
from contacts_svc.touched import Family
from kantis_contracts.messaging import (
    Engagement,
    LinkClickedV1,
    MessageOpenedV1,
    MessageSettledV1,
    Settled,
    SettledState,
)
from kantis_contracts.orders import (
    DunningChanged,
    DunningChangedV1,
    DunningState,
    InvoiceCard,
    InvoiceCredited,
    InvoiceCreditedV1,
    InvoiceIssuedV1,
    OrderCard,
    OrderDeliveredV1,
    OrderLineCard,
    OrderPaidV1,
    OrderPlacedV1,
    OrderShippedV1,
    OrderUnpaidV1,
    PaymentBooked,
    PaymentBookedV1,
    PaymentReversed,
    PaymentReversedV1,
    ResponseKind,
    ResponseRegistered,
    ResponseRegisteredV1,
    ResponseWay,
)
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id

ORDERS = [1, 2, 3]
"""Seeds of the orders in which events are told."""


async def tell(rig, events, seed):
    shuffled = list(events)
    random.Random(seed).shuffle(shuffled)
    for event in shuffled:
        await rig.publish(event)
        await rig.drain()


async def only_row(rig, table):
    pool = await rig.service.database.pool()
    (row,) = await pool.fetch(f"SELECT * FROM {table}")
    return row


@pytest.mark.parametrize("seed", ORDERS)
async def test_an_order_is_what_its_newest_version_says_with_the_moment_of_each_step(rig_for, seed):
    rig = await rig_for(SPEC)
    now = rig.clock.now()
    line = OrderLineCard(product_id=new_id(), sku="SOCKS", quantity=2, amount_minor=30_000)
    placed = OrderCard(
        order_id=new_id(),
        version=1,
        number="1001",
        person_id=new_id(),
        total_minor=10_000,
        currency="NOK",
        changed_at=now - timedelta(days=3),
    )
    shipped = placed.model_copy(
        update={"version": 2, "changed_at": now - timedelta(days=2), "total_minor": 20_000}
    )
    delivered = shipped.model_copy(update={"version": 3, "changed_at": now - timedelta(days=1)})
    paid = placed.model_copy(
        update={"version": 4, "changed_at": now, "total_minor": 30_000, "lines": (line,)}
    )

    await tell(
        rig,
        [
            OrderPlacedV1(items=(placed,)),
            OrderShippedV1(items=(shipped,)),
            OrderDeliveredV1(items=(delivered,)),
            OrderPaidV1(items=(paid,)),
        ],
        seed,
    )

    row = await only_row(rig, "order_fact")
    assert (4, "1001", 30_000, None) == (
        row["version"],
        row["number"],
        row["total_minor"],
        row["cancelled_at"],
    )
    assert "SOCKS" in row["lines"]
    assert (placed.changed_at, shipped.changed_at, delivered.changed_at, now) == (
        row["placed_at"],
        row["shipped_at"],
        row["delivered_at"],
        row["paid_at"],
    )


@pytest.mark.parametrize("seed", ORDERS)
async def test_an_order_is_unpaid_and_open_again_when_the_bank_takes_its_money_back(rig_for, seed):
    rig = await rig_for(SPEC)
    now = rig.clock.now()
    order = OrderCard(
        order_id=new_id(),
        version=4,
        number="1001",
        person_id=new_id(),
        total_minor=10_000,
        currency="NOK",
        changed_at=now,
    )
    about = {"order_id": order.order_id, "person_id": order.person_id, "currency": "NOK"}
    told = {**about, "invoice_id": new_id(), "payment_id": new_id(), "amount_minor": 10_000}
    invoice = InvoiceCard(
        **about,
        invoice_id=told["invoice_id"],
        number="F1",
        reference="1",
        total_minor=10_000,
        due_on=date(2026, 3, 1),
        issued_at=now,
    )

    await tell(
        rig,
        [
            InvoiceIssuedV1(items=(invoice,)),
            OrderPaidV1(items=(order,)),
            PaymentBookedV1(items=(PaymentBooked(**told, open_minor=0, booked_at=now),)),
            OrderUnpaidV1(items=(order.model_copy(update={"version": 5}),)),
            PaymentReversedV1(
                items=(
                    PaymentReversed(
                        **told, reversal_id=new_id(), open_minor=10_000, reversed_at=now
                    ),
                )
            ),
        ],
        seed,
    )

    assert None is (await only_row(rig, "order_fact"))["paid_at"]
    assert 10_000 == (await only_row(rig, "invoice_fact"))["open_minor"]


@pytest.mark.parametrize("seed", ORDERS)
async def test_what_is_owed_follows_from_payments_and_credits_also_from_those_told_first(
    rig_for, seed
):
    rig = await rig_for(SPEC)
    now, person = rig.clock.now(), new_id()
    invoice = InvoiceCard(
        invoice_id=new_id(),
        order_id=new_id(),
        person_id=person,
        number="F1",
        reference="1",
        total_minor=10_000,
        currency="SEK",
        due_on=date(2026, 3, 1),
        issued_at=now,
    )
    payments = [
        PaymentBooked(
            payment_id=new_id(),
            invoice_id=invoice.invoice_id,
            order_id=invoice.order_id,
            person_id=person,
            amount_minor=amount,
            currency="SEK",
            open_minor=0,
            booked_at=now,
        )
        for amount in (4_000, 3_500)
    ]
    credited = [
        InvoiceCredited(
            credit_note_id=new_id(),
            **invoice.model_dump(include={"invoice_id", "order_id", "person_id", "currency"}),
            number=f"K{so_far}",
            amount_minor=500,
            settled_minor=500,
            credited_minor=so_far,
            open_minor=0,
            credited_at=now,
        )
        for so_far in (500, 1_000)
    ]

    await tell(
        rig,
        [
            InvoiceIssuedV1(items=(invoice,)),
            *(PaymentBookedV1(items=(one,)) for one in payments),
            *(InvoiceCreditedV1(items=(one,)) for one in credited),
        ],
        seed,
    )

    row = await only_row(rig, "invoice_fact")
    assert ("F1", 10_000, 7_500, 1_500, date(2026, 3, 1)) == (
        row["number"],
        row["total_minor"],
        row["paid_minor"],
        row["open_minor"],
        row["due_on"],
    )


@pytest.mark.parametrize("seed", ORDERS)
async def test_dunning_is_what_its_newest_step_says_also_when_told_before_the_invoice(
    rig_for, seed
):
    rig = await rig_for(SPEC)
    now = rig.clock.now()
    invoice = InvoiceCard(
        invoice_id=new_id(),
        order_id=new_id(),
        person_id=new_id(),
        number="F1",
        reference="1",
        total_minor=10_000,
        currency="SEK",
        due_on=date(2026, 3, 1),
        issued_at=now - timedelta(days=30),
    )
    reminded = DunningChanged(
        **invoice.model_dump(include={"invoice_id", "order_id", "person_id", "currency"}),
        version=1,
        state=DunningState.REMINDED,
        reminders=1,
        open_minor=10_000,
        changed_at=now - timedelta(days=1),
    )
    disputed = reminded.model_copy(
        update={"version": 2, "state": DunningState.DISPUTED, "changed_at": now}
    )

    await tell(
        rig,
        [
            InvoiceIssuedV1(items=(invoice,)),
            DunningChangedV1(items=(reminded,)),
            DunningChangedV1(items=(disputed,)),
        ],
        seed,
    )

    row = await only_row(rig, "invoice_fact")
    assert ("F1", 10_000, 2, "disputed", 1, now) == (
        row["number"],
        row["open_minor"],
        row["dunning_version"],
        row["dunning_state"],
        row["reminders"],
        row["dunning_at"],
    )


@pytest.mark.parametrize("seed", ORDERS)
async def test_a_message_knows_its_last_end_and_when_a_human_being_first_opened_and_clicked(
    rig_for, seed
):
    rig = await rig_for(SPEC)
    now, person, message = rig.clock.now(), new_id(), new_id()
    doubt = Settled(
        message_id=message,
        person_id=person,
        channel=Channel.EMAIL,
        state=SettledState.IN_DOUBT,
        settled_at=now - timedelta(hours=5),
    )
    accepted = doubt.model_copy(
        update={"state": SettledState.ACCEPTED, "settled_at": now - timedelta(hours=4)}
    )

    def seen(hours, verdict):
        return Engagement(
            engagement_id=new_id(),
            message_id=message,
            person_id=person,
            verdict=verdict,
            seen_at=now - timedelta(hours=hours),
        )

    await tell(
        rig,
        [
            MessageSettledV1(items=(doubt,)),
            MessageSettledV1(items=(accepted,)),
            MessageOpenedV1(items=(seen(3, "machine"),)),
            MessageOpenedV1(items=(seen(1, "human"), seen(0, "human"))),
            LinkClickedV1(items=(seen(2, "human"),)),
        ],
        seed,
    )

    row = await only_row(rig, "message_fact")
    assert ("accepted", "email", accepted.settled_at, accepted.settled_at) == (
        row["state"],
        row["channel"],
        row["at"],
        row["settled_at"],
    )
    # The click at two hours shows that it was opened by then; what a machine did counts for nothing.
    assert [now - timedelta(hours=2)] * 2 == [row["opened_at"], row["clicked_at"]]
    pool = await rig.service.database.pool()
    kinds = await pool.fetch("SELECT kind, verdict FROM engagement_fact ORDER BY seen_at")
    assert [
        ("opened", "machine"),
        ("clicked", "human"),
        ("opened", "human"),
        ("opened", "human"),
    ] == [tuple(one) for one in kinds]


async def test_what_names_no_person_is_no_fact_about_one(rig_for):
    rig = await rig_for(replace(SPEC, loops=()))  # who follows the touched would take them
    now, person = rig.clock.now(), new_id()

    def answer(person_id):
        return ResponseRegistered(
            response_id=new_id(),
            kind=ResponseKind.INQUIRY,
            way=ResponseWay.WEB,
            response_code="7K2M9QX4TZ",
            person_id=person_id,
            responded_at=now,
        )

    nobody = Settled(
        message_id=new_id(), channel=Channel.SMS, state=SettledState.FAILED, settled_at=now
    )
    seen = Engagement(engagement_id=new_id(), message_id=nobody.message_id, seen_at=now)
    await rig.publish(
        ResponseRegisteredV1(items=(answer(None), answer(person))),
        MessageSettledV1(items=(nobody,)),
        MessageOpenedV1(items=(seen,)),
    )
    await rig.drain()

    row = await only_row(rig, "response_fact")
    pool = await rig.service.database.pool()
    touched = await pool.fetch("SELECT DISTINCT person_id, families FROM touched_person")
    assert (person, "inquiry", "web") == (row["person_id"], row["kind"], row["way"])
    assert 0 == await pool.fetchval("SELECT count(*) FROM message_fact")
    assert [(person, int(Family.INTERACTION))] == [tuple(one) for one in touched]
    assert [] == await rig.parked()


async def test_facts_of_somebody_who_was_merged_are_kept_of_whom_they_became(rig_for):
    rig = await rig_for(SPEC)
    old, known = new_id(), new_id()
    pool = await rig.service.database.pool()
    await pool.execute(
        "INSERT INTO person_alias (merged_id, known_id, version, at) VALUES ($1, $2, 1, now())",
        old,
        known,
    )
    order = OrderCard(
        order_id=new_id(),
        version=1,
        number="1",
        person_id=old,
        total_minor=1,
        currency="NOK",
        changed_at=rig.clock.now(),
    )

    await rig.publish(OrderPlacedV1(items=(order,)))
    await rig.drain()

    assert known == (await only_row(rig, "order_fact"))["person_id"]
