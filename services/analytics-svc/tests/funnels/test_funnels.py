"""Funnels: the statement counts as a plain reading of the same facts does."""

import random
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_svc.facts.model import Fact, Mark
from analytics_svc.facts.usecases import record
from analytics_svc.funnels.queries import count_funnel
from analytics_svc.funnels.schemas import MARKS, FunnelIn, Happening
from analytics_svc.main import SPEC
from kantis_kit.tx import read, write

URL = "/v1/reports/funnels"
START = datetime(2026, 3, 1, tzinfo=UTC)
CAMPAIGNS, CHANNELS = (None, UUID(int=1), UUID(int=2)), ("", "email", "sms")
PEOPLE = [UUID(int=100 + number) for number in range(5)]
SOME = ("sent", "opened", "clicked", "responded", "ordered", "paid")
DAY = timedelta(days=1)


def some_facts(chance):
    """Return facts of a few people in a fortnight, at full half days, so that many fall on the same moment."""
    facts = []
    for number in range(240):
        happening = chance.choice(SOME)
        kinds, mark = MARKS[Happening(happening)]
        at = START + chance.randrange(28) * DAY / 2
        marks = {mark: Mark(0, at, chance.choice((100, 500)))}
        if happening in ("ordered", "paid") and chance.random() < 0.2:
            marks["cancelled" if chance.random() < 0.5 else "unpaid"] = Mark(1, at)
        facts.append(
            Fact(
                chance.choice(kinds), UUID(int=10_000 + number), chance.choice(CAMPAIGNS),
                person_id=chance.choice([None, *PEOPLE, *PEOPLE]), currency="NOK", channel=chance.choice(CHANNELS),
                label=chance.choice(("order/web", "refusal/keyed", "orders")), marks=marks,
            )
        )  # fmt: skip
    return facts


steps = st.builds(
    lambda happening, campaign, channel, label, least: {
        "happening": happening,
        **({"campaign_id": campaign} if campaign else {}),
        **({"channel": channel} if channel else {}),
        **({"label": label} if label and happening == "responded" else {}),
        **({"currency": "NOK", "at_least_minor": least} if least and happening == "ordered" else {}),
    },
    st.sampled_from(SOME),
    st.sampled_from([None, None, None, None, *CAMPAIGNS]),
    st.sampled_from(["", "", "", "", "", "", "email", "sms"]),
    st.sampled_from(["", "order", "order/web"]),
    st.sampled_from([None, 500]),
)  # fmt: skip
funnels = st.builds(
    FunnelIn,
    steps=st.lists(steps, min_size=2, max_size=4),
    window_days=st.integers(1, 10),
    window_of=st.sampled_from(["funnel", "step"]),
    group_by=st.sampled_from([None, "campaign", "channel"]),
    since=st.sampled_from([START.date(), (START + 2 * DAY).date()]),
    until=st.sampled_from([(START + 5 * DAY).date(), (START + 20 * DAY).date()]),
)


def group_of(funnel, fact):
    if funnel.group_by is None:
        return ""
    return str(fact.campaign_id or "") if funnel.group_by == "campaign" else fact.channel


def meets(step, fact):
    kinds, mark = MARKS[step.happening]
    taken_back = fact.kind == "order" and "cancelled" in fact.marks
    unpaid = step.happening == "paid" and "unpaid" in fact.marks
    return (
        fact.kind in kinds and mark in fact.marks and fact.person_id and not taken_back and not unpaid
        and step.campaign_id in (None, fact.campaign_id)
        and step.channel in (None, fact.channel)
        and (not step.label or fact.label == step.label or fact.label.startswith(step.label + "/"))
        and (step.at_least_minor is None or fact.marks[mark].amount >= step.at_least_minor)
    )  # fmt: skip


def moments(funnel, facts, person, group):
    """Return for each step the moments at which a person took it, as far as a group goes."""
    found = []
    for number, step in enumerate(funnel.steps):
        groups = (group,) if number == 0 else (group, "")
        mark = MARKS[step.happening][1]
        mine = (fact for fact in facts if fact.person_id == person and meets(step, fact))
        found.append({one.marks[mark].at for one in mine if group_of(funnel, one) in groups})
    found[0] = {at for at in found[0] if funnel.since <= at.date() <= funnel.until}
    return found


def chains(funnel, found, so_far=()):
    """Yield every way of taking the first steps in order, as far as each goes."""
    if so_far:
        yield so_far
    if len(so_far) == len(found):
        return
    window = timedelta(days=funnel.window_days)
    for at in found[len(so_far)]:
        since = so_far and (so_far[0] if funnel.window_of == "funnel" else so_far[-1])
        if not so_far or (so_far[-1] < at and at - since <= window):
            yield from chains(funnel, found, (*so_far, at))


def plainly(funnel, facts):
    """Return people and the median by group and step, by trying every chain."""
    groups = {group_of(funnel, one) for one in facts}
    counted = {}
    for group in groups:
        took = [[] for _ in funnel.steps]
        for person in PEOPLE:
            reached = [set() for _ in funnel.steps]
            for chain in chains(funnel, moments(funnel, facts, person, group)):
                reached[len(chain) - 1].add(chain[-1])
            for number, ats in enumerate(reached):
                if ats:
                    first = min(ats)
                    before = [at for at in reached[number - 1] if at < first] if number else [first]
                    took[number].append((first - max(before)).total_seconds())
        if took[0]:
            for number, times in enumerate(took):
                middle = median(times) if times and number else None
                counted[group, number + 1] = (len(times), middle)
    return counted


@pytest.mark.parametrize("seed", range(2))
async def test_a_funnel_counts_as_a_plain_reading_of_the_facts_does(rig_for, seed):
    rig = await rig_for(SPEC)
    facts = some_facts(random.Random(seed))
    async with write(rig.service.scope) as tx:
        await record(tx, facts)

    asked = []

    @settings(max_examples=100, database=None, derandomize=True)
    @given(funnels)
    def ask(funnel):
        asked.append(funnel)

    ask()

    deep = 0
    for funnel in asked:
        async with read(rig.service.scope) as tx:
            lines = await count_funnel(tx, funnel, funnel.since, funnel.until)
        found = {(one.group, one.step): (one.people, one.median_seconds) for one in lines}
        expected = plainly(funnel, facts)
        if funnel.group_by is None and not expected:
            expected = {("", number + 1): (0, None) for number in range(len(funnel.steps))}
        assert expected == found, funnel
        deep += any(people for (_, step), (people, _) in found.items() if step > 2)
    assert deep > 5


async def tell(rig, *facts):
    async with write(rig.service.scope) as tx:
        await record(tx, facts)


def fact(kind, number, mark, at, **more):
    return Fact(kind, UUID(int=number), person_id=PEOPLE[0], marks={mark: Mark(0, at, 100)}, **more)


BODY = {
    "since": "2026-03-01", "until": "2026-03-31", "window_days": 7,
    "steps": [{"happening": "sent"}, {"happening": "clicked"}, {"happening": "ordered"}],
}  # fmt: skip


async def test_the_shares_and_times_are_told_in_json_and_csv(rig_for):
    rig = await rig_for(SPEC)
    sent = [
        Fact("piece", UUID(int=number), person_id=person, marks={"accepted": Mark(0, START)})
        for number, person in enumerate(PEOPLE)
    ]
    await tell(
        rig, *sent,
        fact("click", 50, "seen", START + DAY), fact("click", 51, "seen", START + 2 * DAY),
        fact("order", 60, "placed", START + 4 * DAY), fact("order", 61, "placed", START + 9 * DAY),
    )  # fmt: skip

    async with rig.client() as client:
        answer = (await client.post(URL, json=BODY)).json()["items"]
        table = await client.post(f"{URL}.csv", json=BODY)

    assert [5, 1, 1] == [one["people"] for one in answer]
    assert [None, 0.2, 0.2] == [one["first_rate"] and one["first_rate"]["value"] for one in answer]
    assert [None, 0.2, 1] == [
        one["previous_rate"] and one["previous_rate"]["value"] for one in answer
    ]
    assert [None, 86_400, 2 * 86_400] == [one["median_seconds"] for one in answer]
    assert "text/csv; charset=utf-8" == table.headers["content-type"]
    assert [",,1,sent,5", ",,2,clicked,1", ",,3,ordered,1"] == [
        line[: len(start)]
        for line, start in zip(
            table.text.splitlines()[1:], (",,1,sent,5", ",,2,clicked,1", ",,3,ordered,1"), strict=True
        )
    ]  # fmt: skip


async def test_a_funnel_of_nothing_says_nobody(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        whole = (await client.post(URL, json=BODY)).json()["items"]
        grouped = (await client.post(URL, json=BODY | {"group_by": "cell"})).json()["items"]

    assert ([0, 0, 0], []) == ([one["people"] for one in whole], grouped)


@pytest.mark.parametrize("group_by", ["campaign", "cell"])
async def test_groups_are_told_by_name_the_largest_first(rig_for, group_by):
    rig = await rig_for(SPEC)
    pool = await rig.service.database.pool()
    for number, name in ((1, "Spring"), (2, "Autumn")):
        one = UUID(int=number)
        await pool.execute(
            "INSERT INTO campaign_card (campaign_id, name, channel, currency) VALUES ($1, $2, 'email', 'NOK')", one, name
        )  # fmt: skip
        await pool.execute(
            "INSERT INTO cell_card (cell_id, campaign_id, name, key_code, cost_per_piece_minor) VALUES ($1, $1, $2, 'K', 0)",
            one, name,
        )  # fmt: skip
    await tell(
        rig,
        *(
            Fact(
                "piece", UUID(int=number), UUID(int=1 + (number > 0)), UUID(int=1 + (number > 0)),
                person_id=person, marks={"accepted": Mark(0, START)},
            )
            for number, person in enumerate(PEOPLE)
        ),
    )  # fmt: skip

    async with rig.client() as client:
        answer = (await client.post(URL, json=BODY | {"group_by": group_by})).json()["items"]

    assert [("Autumn", 4)] + [("Autumn", 0)] * 2 + [("Spring", 1)] + [("Spring", 0)] * 2 == [
        (one["group_name"], one["people"]) for one in answer
    ]


TWO = BODY["steps"][:2]
WRONG = {
    "one step": ({"steps": TWO[:1]}, "steps"),
    "eleven steps": ({"steps": TWO[:1] * 11}, "steps"),
    "a step that there is not": ({"steps": [*TWO, {"happening": "sneezed"}]}, "happening"),
    "no window": ({"window_days": 0}, "window_days"),
    "two years": ({"until": "2028-03-01"}, "ask for a shorter span"),
    "the wrong way round": ({"until": "2026-02-01"}, "a day from since=2026-03-01 on"),
    "the end of time": ({"since": "9999-12-30", "until": "9999-12-31"}, "9998-12-31"),
    "before facts": ({"since": "0001-01-01", "until": "0001-01-31"}, "1970-01-01"),
    "a label of what has none": ({"steps": [*TWO, {"happening": "sent", "label": "x"}]}, "leave it out"),
    "an amount of no amount": ({"steps": [*TWO, {"happening": "sent", "currency": "NOK"}]}, "leave them out"),
    "an amount of no currency": ({"steps": [*TWO, {"happening": "paid", "at_least_minor": 5}]}, "such as NOK"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_what_is_no_funnel_is_refused_with_the_way_out(rig_for, case):
    rig = await rig_for(SPEC)
    change, said = WRONG[case]

    async with rig.client() as client:
        answer = await client.post(URL, json=BODY | change)

    assert 422 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]
    assert said in answer.text


async def test_what_takes_too_long_is_refused_with_the_way_out(rig_for):
    rig = await rig_for(SPEC, settings={"analytics": {"funnel_timeout_ms": 1}})
    chance = random.Random(1)
    await tell(
        rig,
        *(
            Fact(
                chance.choice(("piece", "click", "order")), UUID(int=number), person_id=chance.choice(PEOPLE),
                marks={name: Mark(0, START + timedelta(minutes=number)) for name in ("accepted", "seen", "placed")},
            )
            for number in range(3_000)
        ),
    )  # fmt: skip

    async with rig.client() as client:
        answer = await client.post(URL, json=BODY | {"steps": BODY["steps"] * 3})

    assert (422, "urn:kantis:problem:funnel-too-big") == (answer.status_code, answer.json()["type"])
    assert "fewer days" in answer.json()["detail"]
