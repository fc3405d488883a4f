"""Facts: counted once, whatever the order; the statements count as a plain reading of the same facts does."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_svc.facts.model import CREDITED, NO_CELL, Fact, Mark, Measure, person_key
from analytics_svc.facts.usecases import rebuild, record
from analytics_svc.main import SPEC
from kantis_kit.ids import id_time, new_id
from kantis_kit.tx import write

CAMPAIGN, CELL = UUID(int=1), UUID(int=2)
START = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
KINDS = ("piece", "order", "payment", "click", "machine_click", "opening", "response", "withdrawal", "lead")  # fmt: skip
MARKS = ("released", "accepted", "failed", "suppressed", "expired", "in_doubt", "placed", "paid", "unpaid", "cancelled", "seen", "booked", f"{CREDITED}1", f"{CREDITED}2")  # fmt: skip

marks = st.builds(
    Mark,
    st.integers(0, 2),
    st.integers(0, 5).map(lambda hours: START + timedelta(hours=hours)),
    st.integers(-1000, 100_000),
)
facts = st.builds(
    Fact,
    st.sampled_from(KINDS),
    st.integers(0, 2).map(lambda number: UUID(int=number)),
    st.sampled_from([None, CAMPAIGN]),
    st.sampled_from([None, CELL]),
    st.sampled_from([None, UUID(int=9)]),
    currency=st.sampled_from(["", "NOK", "SEK"]),
    channel=st.sampled_from(["", "email", "sms"]),
    marks=st.dictionaries(st.sampled_from(MARKS), marks, max_size=4),
)


def merged(accounts):
    held = {}
    for fact in accounts:
        key = (fact.kind, fact.key)
        held[key] = held[key].merge(fact) if key in held else fact
    return held


@given(st.lists(facts, max_size=12), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_end_in_the_same_facts(accounts, chance):
    shuffled = [*accounts, *accounts]
    chance.shuffle(shuffled)

    assert merged(accounts) == merged(shuffled)


ENDS = ("expired", "suppressed", "accepted", "failed")
SIMPLE = {
    "order": (("placed", "ordered", "revenue_minor"), ("paid", "paid", "paid_minor")),
    "payment": (("booked", None, "received_minor"),),
    "opening": (("seen", "opened", None),),
    "click": (("seen", "clicked", None),),
    "machine_click": (("seen", "clicked_machine", None),),
    "response": (("seen", "responded", None),),
    "withdrawal": (("seen", "unsubscribed", None),),
}  # fmt: skip


def counts(fact):
    """Return what a fact counts for: measure, moment, value. The rules once more, as one would say them."""
    if fact.kind == "piece":
        yield from counts_of_piece(fact.marks)
    elif "cancelled" not in fact.marks:
        found = dict(fact.marks)
        if {"paid", "unpaid"} <= found.keys() and found["unpaid"].rank > found["paid"].rank:
            del found["paid"]
        for name, count, amount in SIMPLE.get(fact.kind, ()):
            mark = found.get(name)
            if mark and count:
                yield count, mark.at, 1
            if mark and amount:
                yield amount, mark.at, mark.amount
        paid = found.get("paid") if fact.kind == "order" else None
        for name, mark in found.items() if paid else ():
            if name.startswith(CREDITED):
                yield "paid_minor", max(paid.at, mark.at), -mark.amount


def counts_of_piece(found):
    over = max(
        ((found[end].at, place, end) for place, end in enumerate(ENDS) if end in found),
        default=None,
    )
    if "released" in found:
        yield "planned", found["released"].at, 1
    if "accepted" in found:
        yield "sent", found["accepted"].at, 1
    if over:
        yield ("delivered" if over[2] == "accepted" else over[2]), over[0], 1
    elif "in_doubt" in found:
        yield "in_doubt", found["in_doubt"].at, 1
    gone = found.get("accepted") or (None if over else found.get("in_doubt"))
    if gone and "released" in found:
        yield "cost_minor", gone.at, found["released"].amount


def counted(held):
    campaigns, people = Counter(), Counter()
    for fact in held:
        for measure, at, value in counts(fact) if fact.campaign_id else ():
            currency = fact.currency if measure.endswith("_minor") else ""
            campaigns[
                fact.campaign_id,
                fact.cell_id or NO_CELL,
                fact.channel,
                at.date(),
                measure,
                currency,
            ] += value
            if fact.person_id:
                people[fact.person_id, fact.channel, fact.currency, measure] += value
    return tuple(
        {where: value for where, value in sums.items() if value} for sums in (campaigns, people)
    )


async def sums(service):
    pool = await service.database.pool()
    tally = await pool.fetch(
        "SELECT campaign_id, cell_id, channel, day, measure, currency, value FROM tally WHERE value <> 0"
    )
    people = {}
    for row in await pool.fetch("SELECT * FROM person_sum"):
        where = row["person_id"], row["channel"], row["currency"]
        people |= {(*where, one.value): row[one.value] for one in Measure if row[one.value]}
    return {tuple(row)[:-1]: row["value"] for row in tally}, people


def made_up(chance, count):
    """Return accounts of few things, so that many speak of the same one."""
    campaigns, cells, people = ([new_id() for _ in range(3)] for _ in range(3))
    keys = [new_id() for _ in range(12)]

    def mark():
        return Mark(
            chance.randint(0, 2),
            START + timedelta(hours=chance.randint(0, 60)),
            chance.randint(-500, 5_000),
        )

    return [
        Fact(
            chance.choice(KINDS), chance.choice(keys), chance.choice([None, *campaigns]), chance.choice([None, *cells]),
            chance.choice([None, *people]), currency=chance.choice(["", "NOK"]), channel=chance.choice(["", "email", "sms"]),
            marks={name: mark() for name in chance.sample(MARKS, chance.randint(0, 3))},
        )
        for _ in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
async def test_the_statements_count_as_a_plain_reading_does_in_any_order_and_in_any_parts(
    rig_for, seed
):
    chance = random.Random(seed)
    service = (await rig_for(SPEC, start=False)).service
    accounts = made_up(chance, 150)
    told = [*accounts, *chance.sample(accounts, 40)]
    chance.shuffle(told)

    while told:
        part = [told.pop() for _ in range(min(len(told), chance.randint(1, 30)))]
        async with write(service.scope, actor="test") as tx:
            await record(tx, part)
    found = await sums(service)
    async with write(service.scope, actor="test") as tx:
        wrong = await rebuild(tx)

    assert counted(merged(accounts).values()) == found
    assert 0 == wrong
    assert found == await sums(service)


async def test_a_rebuild_mends_what_is_wrong_and_says_how_much(rig_for):
    service = (await rig_for(SPEC, start=False)).service
    async with write(service.scope, actor="test") as tx:
        await record(tx, made_up(random.Random(7), 200))
    right = await sums(service)
    pool = await service.database.pool()
    await pool.execute("UPDATE tally SET value = value + 1 WHERE measure = 'planned'")
    persons = await pool.execute("DELETE FROM person_sum WHERE sent > 0")
    planned = await pool.fetchval("SELECT count(*) FROM tally WHERE measure = 'planned'")

    async with write(service.scope, actor="test") as tx:
        wrong = await rebuild(tx)

    assert planned + int(persons.split()[1]) == wrong > planned > 0
    assert right == await sums(service)


def piece(**given_marks):
    return Fact(
        "piece", UUID(int=3), CAMPAIGN, CELL, currency="NOK",
        marks={name: Mark(0, at, amount) for name, (at, amount) in given_marks.items()},
    )  # fmt: skip


def order(**given_marks):
    return Fact(
        "order", UUID(int=3), CAMPAIGN, CELL, marks={name: Mark(rank, START, 100) for name, rank in given_marks.items()}
    )  # fmt: skip


CASES = {
    "a piece in doubt has cost its price": (
        [piece(released=(START, 50), in_doubt=(START, 0))],
        {"planned": 1, "in_doubt": 1, "cost_minor": 50},
    ),
    "one in doubt that turns out accepted moves from doubt to sent": (
        [piece(released=(START, 50), in_doubt=(START, 0)), piece(accepted=(START, 0))],
        {"planned": 1, "sent": 1, "delivered": 1, "cost_minor": 50},
    ),
    "one that came back was sent and not delivered": (
        [piece(accepted=(START, 0), failed=(START + timedelta(hours=1), 0), released=(START, 50))],
        {"planned": 1, "sent": 1, "failed": 1, "cost_minor": 50},
    ),
    "a suppressed one costs nothing": (
        [piece(released=(START, 50), suppressed=(START, 0))],
        {"planned": 1, "suppressed": 1},
    ),
    "what belongs to no campaign counts for none": (
        [Fact("order", UUID(int=3), marks={"placed": Mark(1, START, 100)})],
        {},
    ),
    "an order counts what it came to": ([order(placed=1)], {"ordered": 1, "revenue_minor": 100}),
    "one that was called off counts nothing": ([order(placed=1), order(cancelled=2)], {}),
    "one whose money was taken back is not paid": ([order(unpaid=5), order(paid=4)], {}),
    "until it is paid anew": ([order(paid=4), order(paid=6), order(unpaid=5)], {"paid": 1, "paid_minor": 100}),
    "what was credited of a paid one was not earned": (
        [order(paid=2), order(**{f"{CREDITED}1": 0}), order(**{f"{CREDITED}2": 0})],
        {"paid": 1, "paid_minor": -100},
    ),
    "and of an unpaid one changes nothing": ([order(**{f"{CREDITED}1": 0})], {}),
    "nor when that is told first": ([order(cancelled=2), order(placed=1)], {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_what_counts(rig_for, case):
    accounts, expected = CASES[case]
    service = (await rig_for(SPEC, start=False)).service
    for fact in accounts:
        async with write(service.scope, actor="test") as tx:
            await record(tx, [fact])

    campaigns, _ = await sums(service)

    assert expected == {where[4]: value for where, value in campaigns.items()}
    plain, _ = counted([reduce(Fact.merge, accounts)])
    assert plain == campaigns


def test_what_a_person_did_is_named_after_the_moment_of_the_campaign():
    campaign, person = new_id(), new_id()
    key = person_key(campaign, "clicker", person)

    assert id_time(campaign) == id_time(key)
    assert key == person_key(campaign, "clicker", person)
    assert key not in (
        person_key(campaign, "opener", person),
        person_key(new_id(), "clicker", person),
    )
