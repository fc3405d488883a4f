"""What every store of facts promises: the same answer to the same question, the one that the roll-ups give."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from analytics_svc.facts.model import HOUSE, LABELLED, NO_CELL, Fact, Mark, Measure
from analytics_svc.facts.usecases import record
from analytics_svc.privacy.usecases import forget
from analytics_svc.questions.schemas import MOST_LINES, Question
from analytics_svc.questions.store import FactStore, TooManyLines
from kantis_contracts.contacts.privacy import ErasureRequest
from kantis_kit.ids import new_id
from kantis_kit.tx import read, write

START = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
SPAN = {"since": date(2026, 1, 1), "until": date(2026, 12, 31)}
KINDS = (
    "piece", "step", "order", "return", "payment", "invoice", "click", "machine_click", "opening", "response", "withdrawal",
    "lead", "post", "permission", "survey",
)  # fmt: skip
MARKS = (
    "changed", "returned", "issued", "due", "settled", "reminded", "missed", "came", "came_back", "released", "accepted",
    "failed", "in_doubt", "placed", "paid", "unpaid", "cancelled", "seen", "booked", "credited:1",
)  # fmt: skip
SOME = [new_id() for _ in range(3)]


def mark(chance):
    at = START + timedelta(hours=chance.randint(0, 2_000))
    return Mark(chance.randint(0, 2), at, chance.randint(-500, 5_000))


def made_up(chance, count):
    """Return accounts of few things, so that many speak of the same one."""
    keys = [new_id() for _ in range(12)] + [UUID(int=1)]
    return [
        Fact(
            chance.choice(KINDS), chance.choice(keys), chance.choice([None, *SOME]), chance.choice([None, *SOME]),
            chance.choice([None, *SOME]), currency=chance.choice(["", "NOK", "SEK"]), channel=chance.choice(["", "email", "sms"]),
            label=chance.choice(["", "order/web", "it's \"å\"\n\\"]),
            marks={name: mark(chance) for name in chance.sample(MARKS, chance.randint(1, 6))},
        )
        for _ in range(count)
    ]  # fmt: skip


async def tell(rig, facts):
    async with write(rig.service.scope, actor="test") as tx:
        await record(tx, facts)


async def asked(rig, measures, by=(), **more):
    store = rig.service.scope.extras[FactStore]
    async with read(rig.service.scope) as tx:
        return await store.ask(tx, Question(measures=list(measures), by=list(by), **SPAN | more))


async def sums(rig, statement):
    pool = await rig.service.database.pool()
    return Counter({tuple(row)[:-1]: row["value"] for row in await pool.fetch(statement)})


OF_CAMPAIGNS = "SELECT campaign_id, cell_id, channel, day, measure, currency, value FROM tally WHERE value <> 0"
OF_HOUSE = "SELECT day, label, measure, currency, value FROM house_tally WHERE value <> 0"


async def differences(rig):
    """Return what the store says otherwise than the roll-ups do, of campaigns and of the house."""
    found, house = Counter(), Counter()
    for one in await asked(
        rig, (one.value for one in Measure), ("campaign_id", "cell_id", "channel", "day")
    ):
        if one.campaign_id:
            where = (one.campaign_id, one.cell_id or NO_CELL, one.channel, one.day)
            found[*where, one.measure, one.currency] = one.value
    for one in await asked(
        rig, ["responded"], ("campaign_id", "cell_id", "channel", "day", "label")
    ):
        if one.campaign_id:
            where = (one.campaign_id, one.cell_id or NO_CELL, one.channel, one.day)
            found[*where, f"{one.measure}{LABELLED}{one.label}", one.currency] = one.value
    for one in await asked(rig, HOUSE, ("label", "day")):
        house[one.day, one.label, one.measure, one.currency] = one.value
    assert found
    assert house
    return [
        {where: (one[where], other[where]) for where in {*one, *other} if one[where] != other[where]}
        for one, other in ((found, await sums(rig, OF_CAMPAIGNS)), (house, await sums(rig, OF_HOUSE)))
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
async def test_a_store_says_what_the_roll_ups_say_while_facts_change(house, follow, seed):
    chance = random.Random(seed)

    for _ in range(3):
        await tell(house, made_up(chance, 150))
        await follow(house)
        assert [{}, {}] == await differences(house)


async def test_the_stores_give_the_same_answers(open_house, follow):
    rigs = [await open_house(store) for store in ("postgresql", "clickhouse")]
    facts = made_up(random.Random(5), 600)
    for rig in rigs:
        await tell(rig, facts)
        await follow(rig)
    questions = [
        {"measures": ["sent", "revenue_minor", "clicked"], "by": ["month"]},
        {"measures": ["settled_days", "joined", "scored"], "by": ["label", "month", "channel"]},
        {"measures": ["ordered", "paid_minor"], "by": ["day"], "campaign_id": max(SOME)},
        {"measures": ["revenue_minor", "sent"], "currency": "SEK"},
        {"measures": ["planned", "cost_minor"], "channel": "sms"},
        {"measures": ["clicked"], "since": date(2026, 3, 9), "until": date(2026, 4, 20)},
        {"measures": ["leads"], "since": date(1990, 1, 1), "until": date(1991, 1, 1)},
    ]

    answers = [[await asked(rig, **one) for one in questions] for rig in rigs]

    assert answers[0] == answers[1]
    assert all(answers[0][:-1])
    assert [] == answers[0][-1]


async def test_people_are_counted_once_and_only_those_who_are_known(house, follow):
    clicks = [
        Fact("click", new_id(), person_id=person, marks={"seen": Mark(0, START)})
        for person in (SOME[0], SOME[0], SOME[1], None)
    ]
    await tell(house, clicks)
    await follow(house)

    (before,) = await asked(house, ["clicked"])
    async with write(house.service.scope, actor="test") as tx:
        await forget(
            tx, [ErasureRequest(erasure_id=new_id(), person_ids=(SOME[0],), requested_at=START)]
        )
    await follow(house)
    (after,) = await asked(house, ["clicked"])

    assert ((4, 2), (4, 1)) == ((before.value, before.people), (after.value, after.people))


async def test_days_beyond_every_calendar_of_an_engine_are_days(house, follow):
    far = datetime(2400, 2, 29, tzinfo=UTC)
    await tell(house, [Fact("lead", new_id(), label="form", marks={"seen": Mark(0, far)})])
    await follow(house)

    lines = await asked(
        house, ["leads"], ["day", "month"], since=date(2400, 1, 1), until=date(2400, 12, 31)
    )

    assert [(date(2400, 2, 29), date(2400, 2, 1), 1)] == [(one.day, one.month, one.value) for one in lines]  # fmt: skip


async def test_an_answer_that_nobody_would_read_is_refused(house, follow):
    leads = [
        Fact("lead", new_id(), label=f"form {number}", marks={"seen": Mark(0, START)})
        for number in range(MOST_LINES + 1)
    ]
    await tell(house, leads)
    await follow(house, limit=20_000)

    with pytest.raises(TooManyLines, match="10,000 lines"):
        await asked(house, ["leads"], ["label"])
    (whole,) = await asked(house, ["leads"], ["month"])
    assert MOST_LINES + 1 == whole.value
