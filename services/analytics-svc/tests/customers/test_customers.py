"""The report of a customer: what the events of one person add up to, in any order."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from analytics_svc.main import SPEC
from kantis_contracts.campaign import (
    CampaignLaunchedV1,
    CellCard,
    Piece,
    PieceReleasedV1,
    Step,
    StepAsker,
    StepRequestedV1,
)
from kantis_contracts.contacts import PersonMergedV1
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_contracts.messaging import MessageSettledV1, Settled, SettledState
from kantis_contracts.orders import (
    DunningChanged,
    DunningChangedV1,
    DunningState,
    InvoiceCard,
    InvoiceIssuedV1,
    OrderCard,
    OrderChangedV1,
    OrderPaidV1,
    OrderPlacedV1,
    OrderReturn,
    OrderReturnedV1,
    PaymentBooked,
    PaymentBookedV1,
    ResponseKind,
    ResponseRegistered,
    ResponseRegisteredV1,
    ResponseWay,
)
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id
from kantis_kit.testing.merges import Register

CAMPAIGN, CELL, TEMPLATE = UUID(int=1), UUID(int=2), UUID(int=3)
START = datetime(2026, 1, 10, 9, tzinfo=UTC)


def told(kari, now):
    """Return what happens with one person: a letter and a mail of a rule, an order that changes, pays late and comes back."""
    where = {"campaign_id": CAMPAIGN, "cell_id": CELL, "person_id": kari}
    piece, order, invoice, step = (new_id() for _ in range(4))
    first, second = now - timedelta(days=200), now - timedelta(days=20)
    card = OrderCard(
        order_id=order, version=1, number="1", total_minor=30_000, currency="NOK", changed_at=first,
        **where,
    )  # fmt: skip
    later = OrderCard(
        order_id=new_id(), version=1, number="2", person_id=kari, total_minor=5_000, currency="NOK",
        changed_at=second,
    )  # fmt: skip
    asked = StepRequestedV1(
        asker=StepAsker(kind="rule", id=new_id(), name="=Takk", version=1), channel=Channel.EMAIL,
        purpose=Purpose.OFFERS, template_id=TEMPLATE, cost_per_piece_minor=5,
        items=(Step(step_id=step, person_id=kari),),
    )  # fmt: skip
    return [
        CampaignLaunchedV1(
            campaign_id=CAMPAIGN, campaign_name="=Vår", launch_id=new_id(), purpose=Purpose.OFFERS,
            channel=Channel.LETTER, currency="NOK", launched_at=first,
            items=(CellCard(cell_id=CELL, key_code="A", name="A", share_pct=100, template_id=TEMPLATE),),
        ),
        PieceReleasedV1(
            campaign_id=CAMPAIGN, campaign_name="=Vår", launch_id=new_id(), cell_id=CELL, key_code="A",
            segment_id=new_id(), channel=Channel.LETTER, purpose=Purpose.OFFERS, template_id=TEMPLATE,
            cost_per_piece_minor=900,
            items=(Piece(piece_id=piece, person_id=kari, response_code="AAAAAA"),),
        ),
        MessageSettledV1(
            items=(
                Settled(
                    message_id=new_id(), piece_id=piece, channel=Channel.LETTER,
                    state=SettledState.ACCEPTED, settled_at=first, **where,
                ),
                Settled(
                    message_id=new_id(), step_id=step, person_id=kari, channel=Channel.EMAIL,
                    state=SettledState.ACCEPTED, settled_at=second,
                ),
                # A notice is no contact that was made to sell something.
                Settled(
                    message_id=new_id(), person_id=kari, channel=Channel.EMAIL,
                    state=SettledState.ACCEPTED, settled_at=second,
                ),
            )
        ),
        asked,
        ResponseRegisteredV1(
            items=(
                ResponseRegistered(
                    response_id=new_id(), kind=ResponseKind.ORDER, way=ResponseWay.KEYED,
                    response_code="AAAAAA", responded_at=first, **where,
                ),
            )
        ),
        OrderPlacedV1(items=(card, later)),
        OrderChangedV1(
            items=(card.model_copy(update={"version": 2, "total_minor": 20_000, "changed_at": first + timedelta(days=40)}),)
        ),
        InvoiceIssuedV1(
            items=(
                InvoiceCard(
                    invoice_id=invoice, order_id=order, number="1", reference="1", total_minor=20_000,
                    currency="NOK", due_on=(first + timedelta(days=14)).date(), issued_at=first, **where,
                ),
            )
        ),
        DunningChangedV1(
            items=(
                DunningChanged(
                    invoice_id=invoice, order_id=order, person_id=kari, campaign_id=CAMPAIGN, version=1,
                    state=DunningState.REMINDED, reminders=1, open_minor=20_000, currency="NOK",
                    changed_at=first + timedelta(days=20),
                ),
            )
        ),
        PaymentBookedV1(
            items=(
                PaymentBooked(
                    payment_id=new_id(), invoice_id=invoice, order_id=order, amount_minor=20_000,
                    currency="NOK", open_minor=0, booked_at=first + timedelta(days=30), **where,
                ),
            )
        ),
        OrderPaidV1(
            items=(card.model_copy(update={"version": 3, "total_minor": 20_000, "changed_at": first + timedelta(days=30)}),)
        ),
        OrderReturnedV1(
            items=(
                OrderReturn(
                    return_id=new_id(), order_id=order, number="1", refund_minor=4_000,
                    returned_minor=4_000, currency="NOK", returned_at=first + timedelta(days=50), **where,
                ),
            )
        ),
    ]  # fmt: skip


async def tell(rig, events, seed=1):
    random.Random(seed).shuffle(events)
    for event in events:
        await rig.publish(event, copies=2)
    await rig.drain()


async def report_of(rig, person):
    async with rig.client() as client:
        answer = await client.get(f"/v1/reports/customers/{person}")
    assert 200 == answer.status_code, answer.text
    return answer.json()


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_customer_is_told_from_the_contacts_to_the_payments_in_any_order(rig_for, seed):
    rig = await rig_for(SPEC)
    kari = new_id()
    await tell(rig, told(kari, rig.clock.now()), seed)

    report = await report_of(rig, kari)

    email, letter = report["contacts"]
    assert ("email", 1, 1, {"NOK": 5}, 0) == (
        email["channel"], email["sent"], email["delivered"], email["cost_minor"], email["answered"],
    )  # fmt: skip
    assert ("letter", 1, {"NOK": 900}, 1, 1) == (
        letter["channel"], letter["sent"], letter["cost_minor"], letter["answered"], letter["ordered"],
    )  # fmt: skip
    assert 1.0 == letter["answer_rate"]["value"]
    (bought,) = report["purchases"]
    now = rig.clock.now()
    expected = {
        "ordered": 2, "revenue_minor": 25_000, "paid": 1, "paid_minor": 20_000, "received_minor": 20_000,
        "returned": 1, "returned_minor": 4_000, "cost_minor": 905, "profit_minor": 19_095, "buying_days": 2,
        "first_on": str((now - timedelta(days=200)).date()), "last_on": str((now - timedelta(days=20)).date()),
    }  # fmt: skip
    assert expected == {name: bought[name] for name in expected}
    assert {"invoiced": 1, "settled": 1, "settled_late": 1, "reminders": 1, "days_to_pay": 30.0} == report["payments"]  # fmt: skip
    answers = {one["name"]: (one["responded"], one["ordered"]) for one in report["answers"]}
    assert {"=Vår": (1, 1), "": (0, 1)} == answers
    latest = report["rfm"][0]
    assert (20, 2, 25_000) == (
        latest["recency_days"],
        latest["frequency"],
        latest["monetary_minor"],
    )
    assert (1, 20_000) == (report["rfm"][-1]["frequency"], report["rfm"][-1]["monetary_minor"])
    assert not await rig.parked()


async def test_the_table_holds_every_number_and_no_formula(rig_for):
    rig = await rig_for(SPEC)
    kari = new_id()
    await tell(rig, told(kari, rig.clock.now()))

    async with rig.client() as client:
        answer = await client.get(f"/v1/reports/customers/{kari}.csv")

    assert "text/csv; charset=utf-8" == answer.headers["content-type"]
    lines = answer.text.splitlines()
    assert "purchases,,profit_minor,NOK,19095" in lines
    assert "answers,'=Vår,responded,,1" in lines


async def test_nobody_is_known_with_whom_nothing_has_happened(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        answers = [
            await client.get(f"/v1/reports/customers/{new_id()}{end}") for end in ("", ".csv")
        ]
        broken = await client.get("/v1/reports/customers/kari")

    assert [404, 404] == [answer.status_code for answer in answers]
    assert "GET /v1/contacts" in answers[0].json()["detail"]
    assert 422 == broken.status_code


async def test_who_was_merged_is_one_customer_and_two_again_when_that_was_wrong(rig_for):
    rig = await rig_for(SPEC)
    now = rig.clock.now()
    kari, karl = new_id(), new_id()
    await tell(rig, told(kari, now))
    order = OrderCard(
        order_id=new_id(), version=1, number="9", person_id=karl, total_minor=700, currency="NOK",
        changed_at=now - timedelta(days=200),
    )  # fmt: skip
    await tell(rig, [OrderPlacedV1(items=(order,))])
    pool = await rig.service.database.pool()
    cohorts = "SELECT sum(buyers)::int FROM repeat_sum WHERE nth = 1"
    before = await report_of(rig, kari), await report_of(rig, karl), await pool.fetchval(cohorts)
    register = Register([kari, karl], now)

    await rig.publish(PersonMergedV1(items=(register.merge(karl, kari),)))
    await rig.drain()
    together = await report_of(rig, karl)
    one = await pool.fetchval(cohorts)
    await rig.publish(PersonMergedV1(items=(register.undo(karl),)))
    await rig.drain()

    assert str(kari) == together["person_id"]
    assert 25_700 == together["purchases"][0]["revenue_minor"]
    assert (2, 1) == (before[2], one)
    after = await report_of(rig, kari), await report_of(rig, karl), await pool.fetchval(cohorts)
    assert before == after


async def test_who_is_forgotten_is_no_customer_and_in_no_cohort(rig_for):
    rig = await rig_for(SPEC)
    kari, per = new_id(), new_id()
    await tell(rig, told(kari, rig.clock.now()))
    await tell(rig, told(per, rig.clock.now()))
    erasure = ErasureRequest(erasure_id=new_id(), person_ids=(kari,), requested_at=rig.clock.now())

    await rig.publish(ErasureRequestedV1(items=(erasure,)))
    await rig.drain()
    async with rig.client() as client:
        gone = await client.get(f"/v1/reports/customers/{kari}")
        mended = (await client.post("/v1/reports/rebuild")).json()["mended"]

    assert 404 == gone.status_code
    await report_of(rig, per)
    pool = await rig.service.database.pool()
    assert [1, 1] == [
        row["buyers"] for row in await pool.fetch("SELECT buyers FROM repeat_sum ORDER BY nth")
    ]
    assert 0 == mended
