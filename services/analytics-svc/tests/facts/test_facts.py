"""Facts: counted once, whatever the order; the statements count as a plain reading of the same facts does."""

import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_svc.facts.model import (
    BOUGHT,
    CREDITED,
    HOUSE,
    NO_CELL,
    PURCHASE,
    Fact,
    Mark,
    Measure,
    person_key,
)
from analytics_svc.facts.usecases import rebuild, record
from analytics_svc.main import SPEC
from kantis_kit.ids import id_time, new_id
from kantis_kit.tx import write

CAMPAIGN, CELL = UUID(int=1), UUID(int=2)
START = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
KINDS = (
    "piece", "step", "message", "order", "return", "payment", "invoice", "click", "machine_click", "opening", "response",
    "withdrawal", "lead", "post", "permission", "survey",
)  # fmt: skip
LABELS = ("", "order/web", "refusal/keyed")
MARKS = ("changed", "returned", "issued", "due", "settled", "reopened", "reminded", "missed", "came", "came_back", "released", "accepted", "failed", "suppressed", "expired", "in_doubt", "placed", "paid", "unpaid", "cancelled", "seen", "booked", f"{CREDITED}1", f"{CREDITED}2")  # fmt: skip

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
    label=st.sampled_from(LABELS),
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
    "return": (("returned", "returned", "returned_minor"),),
    "payment": (("booked", None, "received_minor"),),
    "invoice": (("issued", "invoiced", None), ("reminded", None, "reminded")),
    "opening": (("seen", "opened", None),),
    "click": (("seen", "clicked", None),),
    "machine_click": (("seen", "clicked_machine", None),),
    "response": (("seen", "responded", None),),
    "withdrawal": (("seen", "unsubscribed", None),),
    "lead": (("seen", "leads", None),),
    "post": (("came", "post_returned", None),),
}  # fmt: skip


def counts(fact):
    """Return what a fact counts for: measure, moment, value, label. The rules once more, as one would say them."""
    if fact.kind in ("piece", "step"):
        for one in counts_of_piece(fact.marks):
            yield *one, fact.channel
        return
    if fact.kind in ("invoice", "permission", "response", "survey"):
        yield from RARE[fact.kind](fact)
    if "cancelled" not in fact.marks:
        found = held(fact)
        for name, count, amount in SIMPLE.get(fact.kind, ()):
            mark = found.get(name)
            if mark and count:
                yield count, mark.at, 1, fact.label
            if mark and amount:
                yield amount, mark.at, mark.amount, fact.label
        paid = found.get("paid") if fact.kind == "order" else None
        for name, mark in found.items() if paid else ():
            if name.startswith(CREDITED):
                yield "paid_minor", max(paid.at, mark.at), -mark.amount, ""


def held(fact):
    found = dict(fact.marks)
    if fact.kind != "order":
        return found
    if {"paid", "unpaid"} <= found.keys() and found["unpaid"].rank > found["paid"].rank:
        del found["paid"]
    if {"placed", "changed"} <= found.keys() and found["changed"].rank > found["placed"].rank:
        found["placed"] = replace(found["placed"], amount=found["changed"].amount)
    return found


def late_answers(fact):
    if {"seen", "missed"} <= fact.marks.keys():
        yield "missed", fact.marks["seen"].at, 1, fact.label


def scores(fact):
    for name, mark in fact.marks.items():
        yield "scored", mark.at, 1, f"{fact.label}/{name}/{mark.amount}"


def steps_of_permission(fact):
    before = 0
    for mark in sorted(fact.marks.values()):
        step = mark.amount - before
        yield "joined" if step > 0 else "left", mark.at, abs(step), f"{fact.channel}/{fact.label}"
        before = mark.amount


def settled_invoice(fact):
    found = fact.marks
    if not {"issued", "settled"} <= found.keys():
        return
    paid = found["settled"].at
    if "reopened" in found and found["reopened"].at > paid:
        return
    yield "settled", paid, 1, ""
    yield "settled_days", paid, max(0, (paid.date() - found["issued"].at.date()).days), ""
    if "due" in found and paid.date() > found["due"].at.date():
        yield "settled_late", paid, 1, ""


RARE = {"response": late_answers, "survey": scores, "permission": steps_of_permission, "invoice": settled_invoice}  # fmt: skip


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
    if "came_back" in found:
        yield "came_back", found["came_back"].at, 1
        if "released" in found:
            yield "lost_minor", found["came_back"].at, found["released"].amount


OF_MEASURES = {one.value for one in Measure}


def counted(facts):
    """Return every roll-up as these facts have it: where, and the value there."""
    campaigns, people, house, days = Counter(), Counter(), Counter(), Counter()
    for fact in facts:
        cell = fact.cell_id or NO_CELL
        for measure, at, value, label in counts(fact):
            day, currency = at.date(), fact.currency if measure.endswith("_minor") else ""
            if fact.campaign_id and measure in OF_MEASURES:
                where = (fact.campaign_id, cell, fact.channel, day)
                campaigns[*where, measure, currency] += value
                if measure == "responded":
                    campaigns[*where, f"responded/{label}", currency] += value
            if fact.person_id and measure in OF_MEASURES:
                people[fact.person_id, fact.channel, fact.currency, measure] += value
            if fact.person_id and measure in BOUGHT:
                campaign = fact.campaign_id or NO_CELL
                days[fact.person_id, day, campaign, fact.currency, measure] += value
            if measure in HOUSE:
                house[measure, day, label, currency] += value
    return {
        "tally": filled(campaigns), "person_sum": filled(people), "house_tally": filled(house), "buyer_day": filled(days),
        **cohorts_of(days),
    }  # fmt: skip


def filled(sums):
    return {where: value for where, value in sums.items() if value}


def cohorts_of(days):
    """Return what follows for buyers and cohorts."""
    buyers = defaultdict(lambda: defaultdict(Counter))
    for (person, day, _, currency, measure), value in days.items():
        buyers[person, currency][day][measure] += value
    known, cohorts, repeats = {}, Counter(), Counter()
    for who, by_day in buyers.items():
        bought = sorted(day for day, sums in by_day.items() if sums["ordered"])
        if not bought:
            continue
        orders = sum(sums["ordered"] for sums in by_day.values())
        later = sum(by_day[day]["revenue_minor"] for day in bought[1:])
        known[who] = (bought[0], bought[-1], len(bought), later, orders)
        cohort = bought[0].replace(day=1)
        for nth in range(1, min(orders, 12) + 1):
            repeats[who[1], cohort, nth] += 1
        for month in {day.replace(day=1) for day in bought}:
            cohorts[who[1], cohort, month, "buyers"] += 1
        for day, sums in by_day.items():
            for measure, name in (("ordered", "orders"), *((one, one) for one in PURCHASE[1:])):
                cohorts[who[1], cohort, day.replace(day=1), name] += sums[measure]
    return {"buyer": known, "cohort_sum": filled(cohorts), "repeat_sum": filled(repeats)}


async def sums(service):
    """Return every roll-up as it stands in the database, in the same form."""
    pool = await service.database.pool()

    async def long(statement):
        return {tuple(row)[:-1]: row["value"] for row in await pool.fetch(statement)}

    async def wide(table, keys, measures):
        found = {}
        for row in await pool.fetch(f"SELECT * FROM {table}"):
            where = tuple(row[key] for key in keys)
            found |= {(*where, one): row[one] for one in measures if row[one]}
        return found

    buyers = await pool.fetch("SELECT * FROM buyer")
    of_month = ("buyers", "orders", *PURCHASE[1:])
    return {
        "tally": await long(
            "SELECT campaign_id, cell_id, channel, day, measure, currency, value FROM tally WHERE value <> 0"
        ),
        "person_sum": await wide("person_sum", ("person_id", "channel", "currency"), OF_MEASURES),
        "house_tally": await long(
            "SELECT measure, day, label, currency, value FROM house_tally WHERE value <> 0"
        ),
        "buyer_day": await wide("buyer_day", ("person_id", "day", "campaign_id", "currency"), BOUGHT),
        "buyer": {
            (row["person_id"], row["currency"]): (
                row["first_on"], row["last_on"], row["days"], row["later_minor"], row["orders"],
            )
            for row in buyers
        },
        "cohort_sum": await wide("cohort_sum", ("currency", "cohort", "month"), of_month),
        "repeat_sum": await long(
            "SELECT currency, cohort, nth, buyers AS value FROM repeat_sum WHERE buyers <> 0"
        ),
    }  # fmt: skip


def made_up(chance, count):
    """Return accounts of few things, so that many speak of the same one."""
    campaigns, cells, people = ([new_id() for _ in range(3)] for _ in range(3))
    keys = [new_id() for _ in range(8)]

    def mark():
        return Mark(
            chance.randint(0, 2),
            START + timedelta(hours=chance.randint(0, 2_000)),
            chance.randint(-500, 5_000),
        )

    return [
        Fact(
            chance.choice(KINDS), chance.choice(keys), chance.choice([None, *campaigns]), chance.choice([None, *cells]),
            chance.choice([None, *people]), currency=chance.choice(["", "NOK"]), channel=chance.choice(["", "email", "sms"]),
            label=chance.choice(LABELS),
            marks={name: mark() for name in chance.sample(MARKS, chance.randint(1, 6))},
        )
        for _ in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
async def test_the_statements_count_as_a_plain_reading_does_in_any_order_and_in_any_parts(
    rig_for, seed
):
    chance = random.Random(seed)
    service = (await rig_for(SPEC, start=False)).service
    accounts = made_up(chance, 400)
    told = [*accounts, *chance.sample(accounts, 40)]
    chance.shuffle(told)

    while told:
        part = [told.pop() for _ in range(min(len(told), chance.randint(1, 60)))]
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
    await pool.execute(
        "UPDATE cohort_sum SET buyers = buyers + 1 WHERE ctid = (SELECT ctid FROM cohort_sum LIMIT 1)"
    )
    await pool.execute(
        "DELETE FROM house_tally WHERE ctid = (SELECT ctid FROM house_tally WHERE value <> 0 LIMIT 1)"
    )
    planned = await pool.fetchval("SELECT count(*) FROM tally WHERE measure = 'planned'")

    async with write(service.scope, actor="test") as tx:
        wrong = await rebuild(tx)

    assert planned + int(persons.split()[1]) + 2 == wrong > planned > 0
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
    "one whose lines were changed counts what it comes to now": (
        [order(changed=2), Fact("order", UUID(int=3), CAMPAIGN, CELL, marks={"placed": Mark(1, START, 70)})],
        {"ordered": 1, "revenue_minor": 100},
    ),
    "a piece that came back has lost its price": (
        [piece(released=(START, 50), accepted=(START, 0), came_back=(START, 0))],
        {"planned": 1, "sent": 1, "delivered": 1, "cost_minor": 50, "came_back": 1, "lost_minor": 50},
    ),
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

    found = await sums(service)

    assert expected == {where[4]: value for where, value in found["tally"].items()}
    assert counted([reduce(Fact.merge, accounts)]) == found


def test_what_a_person_did_is_named_after_the_moment_of_the_campaign():
    campaign, person = new_id(), new_id()
    key = person_key(campaign, "clicker", person)

    assert id_time(campaign) == id_time(key)
    assert key == person_key(campaign, "clicker", person)
    assert key not in (
        person_key(campaign, "opener", person),
        person_key(new_id(), "clicker", person),
    )
