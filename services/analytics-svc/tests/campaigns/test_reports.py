"""Reports: what the events of a campaign add up to."""

import csv
import io
import random
from datetime import timedelta
from uuid import UUID

import pytest

from analytics_svc.main import SPEC
from kantis_contracts.campaign import CampaignLaunchedV1, CellCard, Piece, PieceReleasedV1
from kantis_contracts.contacts import LeadReceived, LeadReceivedV1
from kantis_contracts.messaging import (
    Engagement,
    LinkClickedV1,
    MessageOpenedV1,
    MessageSettledV1,
    PermissionWithdrawnV1,
    Settled,
    SettledState,
    Withdrawal,
)
from kantis_contracts.orders import (
    OrderCard,
    OrderPaidV1,
    OrderPlacedV1,
    PaymentBooked,
    PaymentBookedV1,
    ResponseKind,
    ResponseRegistered,
    ResponseRegisteredV1,
    ResponseWay,
)
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id

CAMPAIGN, LAUNCH = UUID(int=1), UUID(int=2)
CELLS = (UUID(int=11), UUID(int=12))
PERSONS = [UUID(int=100 + number) for number in range(10)]


def where(person):
    cell = CELLS[PERSONS.index(person) % 2]
    return {"campaign_id": CAMPAIGN, "cell_id": cell, "person_id": person}


def piece_of(person):
    return UUID(int=person.int + 1000)


def whole_campaign(now, name="Vår =2+2"):
    """Return ten people's pieces: nine sent, of them one came back; clicks, answers, orders, money."""
    events = [
        CampaignLaunchedV1(
            campaign_id=CAMPAIGN, campaign_name=name, launch_id=LAUNCH, purpose=Purpose.OFFERS,
            channel=Channel.EMAIL, currency="NOK", launched_at=now,
            items=tuple(
                CellCard(
                    cell_id=cell, key_code=f"K{number}", name=("=cmd()", "B")[number], share_pct=50,
                    template_id=UUID(int=4), cost_per_piece_minor=50,
                )
                for number, cell in enumerate(CELLS)
            ),
        )
    ]  # fmt: skip
    for number, cell in enumerate(CELLS):
        events.append(
            PieceReleasedV1(
                campaign_id=CAMPAIGN, campaign_name=name, launch_id=LAUNCH, cell_id=cell,
                key_code=f"K{number}", cell_name=("=cmd()", "B")[number], segment_id=UUID(int=3),
                channel=Channel.EMAIL, purpose=Purpose.OFFERS, template_id=UUID(int=4),
                cost_per_piece_minor=50, currency="NOK",
                items=tuple(
                    Piece(piece_id=piece_of(person), person_id=person, response_code=f"AAAAAA{index}")
                    for index, person in enumerate(PERSONS)
                    if where(person)["cell_id"] == cell
                ),
            )
        )  # fmt: skip

    def settled(person, state, at):
        item = Settled(
            message_id=UUID(int=person.int + 5000), piece_id=piece_of(person), **where(person),
            channel=Channel.EMAIL, state=state, settled_at=at,
        )  # fmt: skip
        return MessageSettledV1(items=(item,))

    events += [settled(person, SettledState.ACCEPTED, now) for person in PERSONS[:9]]
    events.append(settled(PERSONS[9], SettledState.SUPPRESSED, now))
    events.append(settled(PERSONS[8], SettledState.FAILED, now + timedelta(hours=1)))
    events.append(settled(PERSONS[0], SettledState.IN_DOUBT, now - timedelta(minutes=1)))

    def engagement(person, verdict="human"):
        return Engagement(
            engagement_id=new_id(), message_id=UUID(int=person.int + 5000), verdict=verdict,
            seen_at=now + timedelta(hours=2), **where(person),
        )  # fmt: skip

    events.append(LinkClickedV1(items=tuple(engagement(PERSONS[i]) for i in (0, 0, 0, 1, 2))))
    events.append(LinkClickedV1(items=(engagement(PERSONS[3], "machine"),)))
    events.append(MessageOpenedV1(items=tuple(engagement(person) for person in PERSONS[:5])))
    events.append(
        PermissionWithdrawnV1(
            items=(
                Withdrawal(
                    withdrawal_id=new_id(), person_id=PERSONS[4], channel=Channel.EMAIL, source="one_click",
                    campaign_id=CAMPAIGN, cell_id=CELLS[0], withdrawn_at=now,
                ),
            )
        )
    )  # fmt: skip
    for index in (0, 2):
        answer = ResponseRegistered(
            response_id=new_id(), kind=ResponseKind.ORDER, way=ResponseWay.WEB,
            response_code=f"AAAAAA{index}", responded_at=now, **where(PERSONS[index]),
        )  # fmt: skip
        order = OrderCard(
            order_id=UUID(int=9000 + index), version=1, number=str(index), total_minor=19900,
            currency="NOK", changed_at=now, **where(PERSONS[index]),
        )  # fmt: skip
        events += [ResponseRegisteredV1(items=(answer,)), OrderPlacedV1(items=(order,))]
        if index == 0:
            paid = order.model_copy(update={"version": 3})
            payment = PaymentBooked(
                payment_id=new_id(), invoice_id=new_id(), order_id=order.order_id, amount_minor=19900,
                currency="NOK", open_minor=0, booked_at=now, **where(PERSONS[0]),
            )  # fmt: skip
            events += [OrderPaidV1(items=(paid,)), PaymentBookedV1(items=(payment,))]
    lead = LeadReceived(lead_id=new_id(), person_id=PERSONS[0], form_key="signup")
    return [*events, LeadReceivedV1(items=(lead,))]


async def played(rig, seed):
    events = whole_campaign(rig.clock.now())
    order = random.Random(seed)
    order.shuffle(events)
    for event in events:
        await rig.publish(event, copies=2)
    await rig.drain()


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_report_counts_everything_once_in_any_order(rig_for, seed):
    rig = await rig_for(SPEC)
    await played(rig, seed)

    async with rig.client() as client:
        report = (await client.get(f"/v1/reports/campaigns/{CAMPAIGN}")).json()
        (summary,) = (await client.get("/v1/reports/campaigns")).json()["items"]

    total = report["total"]
    expected = {
        "planned": 10, "sent": 9, "delivered": 8, "failed": 1, "suppressed": 1, "in_doubt": 0,
        "opened": 5, "clicked": 5, "clicked_persons": 3, "clicked_machine": 1, "unsubscribed": 1,
        "responded": 2, "responded_persons": 2, "ordered": 2, "revenue_minor": 39800, "paid": 1,
        "paid_minor": 19900, "received_minor": 19900, "cost_minor": 450, "profit_minor": 19450,
    }  # fmt: skip
    assert expected == {name: total[name] for name in expected}
    assert expected == {name: summary[name] for name in expected}
    assert {"order": {"web": 2}} == total["answers"] == summary["answers"]
    first, second = report["cells"]
    assert ({"order": {"web": 2}}, {}) == (first["answers"], second["answers"])
    assert (5, 2, 1, 19650) == tuple(
        first[name] for name in ("planned", "responded", "paid", "profit_minor")
    )
    assert (-200, 0) == (second["profit_minor"], second["responded"])
    rate = first["response_rate"]
    assert (2, 4) == (rate["hits"], rate["tries"])
    assert rate["low"] < 0.5 < rate["high"]
    assert not await rig.parked()


async def test_a_rebuild_mends_what_is_wrong_and_nothing_else(rig_for):
    rig = await rig_for(SPEC)
    await played(rig, 3)
    pool = await rig.service.database.pool()
    numbers = (
        "SELECT * FROM tally WHERE value <> 0 ORDER BY campaign_id, cell_id, day, measure, currency"
    )
    before = await pool.fetch(numbers)

    async with rig.client() as client:
        right = (await client.post("/v1/reports/rebuild")).json()
        await pool.execute("UPDATE tally SET value = value + 1 WHERE measure = 'paid'")
        mended = (await client.post("/v1/reports/rebuild")).json()

    assert 0 == right["mended"]
    assert 1 == mended["mended"]
    assert before == await pool.fetch(numbers)


async def test_the_table_holds_no_formula(rig_for):
    rig = await rig_for(SPEC)
    await played(rig, 4)

    async with rig.client() as client:
        answer = await client.get(f"/v1/reports/campaigns/{CAMPAIGN}.csv")

    assert 200 == answer.status_code
    head, first, second, whole = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    wanted = [
        head.index(name)
        for name in ("answers_order", "answers_refusal", "answers_by_web", "answers_by_phone")
    ]
    assert [["2", "0", "2", "0"], ["0"] * 4, ["2", "0", "2", "0"]] == [
        [row[place] for place in wanted] for row in (first, second, whole)
    ]
    assert "'=cmd()" in answer.text
    assert ",=cmd()" not in answer.text
    assert 4 == len(answer.text.splitlines())
    assert "text/csv; charset=utf-8" == answer.headers["content-type"]


async def test_an_unknown_campaign_has_no_report(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        answers = [
            await client.get(f"/v1/reports/campaigns/{CAMPAIGN}"),
            await client.get(f"/v1/reports/campaigns/{CAMPAIGN}.csv"),
            await client.post(f"/v1/reports/campaigns/{CAMPAIGN}/links"),
        ]

    assert [404] * 3 == [answer.status_code for answer in answers]


async def test_leads_are_counted_per_form_and_day(rig_for):
    rig = await rig_for(SPEC)
    for form_key in ("signup", "signup", "fair"):
        lead = LeadReceived(lead_id=new_id(), person_id=PERSONS[0], form_key=form_key)
        await rig.publish(LeadReceivedV1(items=(lead,)))
    await rig.drain()
    today = rig.clock.now().date().isoformat()

    async with rig.client() as client:
        span = {"since": today, "until": today}
        counted = (await client.get("/v1/reports/leads", params=span)).json()
        refused = await client.get("/v1/reports/leads", params={**span, "since": "2020-01-01"})
        last = await client.get(
            "/v1/reports/leads", params={"since": "9999-12-31", "until": "9999-12-31"}
        )

    assert [("fair", 1), ("signup", 2)] == [(one["form_key"], one["leads"]) for one in counted]
    assert {today} == {one["day"] for one in counted}
    assert 422 == refused.status_code
    assert (200, []) == (last.status_code, last.json())


async def test_the_table_is_described_as_what_it_is(rig_for):
    rig = await rig_for(SPEC, start=False)

    operation = rig.service.openapi()["paths"]["/v1/reports/campaigns/{campaign_id}.csv"]["get"]

    assert ["text/csv"] == list(operation["responses"]["200"]["content"])
