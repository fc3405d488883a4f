"""Reports of the whole house: what the events add up to, told in any order, beside a recount by hand."""

import io
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from pyarrow import parquet

from analytics_svc.main import SPEC
from kantis_contracts.campaign import (
    Piece,
    PieceReleasedV1,
    SurveyAnswered,
    SurveyAnsweredV1,
)
from kantis_contracts.contacts import PermissionChangedV1, PermissionEntry, PermissionState
from kantis_contracts.messaging import LetterIdentified, LetterIdentifiedV1
from kantis_contracts.orders import (
    AnswerDeadline,
    DeadlineMissedV1,
    OrderCancelledV1,
    OrderCard,
    OrderPlacedV1,
    PostKind,
    PostReason,
    PostReturned,
    PostReturnedV1,
    ResponseKind,
    ResponseRegistered,
    ResponseRegisteredV1,
    ResponseWay,
)
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id

SPAN = {"since": "2026-01-01", "until": "2026-12-31"}
START = datetime(2026, 1, 15, 12, tzinfo=UTC)


async def tell(rig, events, seed=1):
    random.Random(seed).shuffle(events)
    for event in events:
        await rig.publish(event, copies=2)
    await rig.drain()
    assert not await rig.parked()


async def lines(rig, name, **more):
    async with rig.client() as client:
        answer = await client.get(f"/v1/reports/{name}", params=SPAN | more)
        table = await client.get(f"/v1/reports/{name}.csv", params=SPAN | more)
        columns = await client.get(f"/v1/reports/{name}.parquet", params=SPAN | more)
    assert 200 == answer.status_code, answer.text
    found = answer.json()["items"]
    assert len(found) + 1 == len(table.text.splitlines())
    read = parquet.read_table(io.BytesIO(columns.content))
    assert table.text.lstrip("\ufeff").splitlines()[0].split(",") == read.column_names
    assert [flat(line) for line in found] == [as_json(row) for row in read.to_pylist()]
    return found


def flat(line):
    """Return a line of JSON with each rate as the three numbers that files have of it."""
    found = {}
    for name, value in line.items():
        if name.endswith("_rate"):
            rate = value or {}
            found |= {name: rate.get("value"), f"{name}_low": rate.get("low"), f"{name}_high": rate.get("high")}  # fmt: skip
        else:
            found[name] = value
    return found


def as_json(row):
    return {
        name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()
    }


def order(person, at, amount, **more):
    return OrderCard(
        order_id=new_id(), version=1, number="1", person_id=person, total_minor=amount, currency="NOK",
        changed_at=at, **more,
    )  # fmt: skip


def bought(chance):
    """Return orders of forty people over half a year, some called off, and what a plain reading counts of them."""
    orders = [
        order(person, START + timedelta(days=chance.randint(0, 170)), chance.randint(100, 900))
        for person in (new_id() for _ in range(40))
        for _ in range(chance.randint(1, 4))
    ]
    called_off = chance.sample(orders, 12)
    events = [OrderPlacedV1(items=(one,)) for one in orders]
    events += [
        OrderCancelledV1(items=(one.model_copy(update={"version": 2}),)) for one in called_off
    ]
    return events, [one for one in orders if one not in called_off]


@pytest.mark.parametrize("seed", [1, 2])
async def test_cohorts_and_repeat_purchases_are_those_of_the_orders_that_hold(rig_for, seed):
    rig = await rig_for(SPEC)
    events, orders = bought(random.Random(seed))
    await tell(rig, events, seed)

    found = await lines(rig, "cohorts")
    repeated = await lines(rig, "repeat-purchases", currency="NOK")

    people = {}
    for one in orders:
        people.setdefault(one.person_id, []).append(one)
    first = {person: min(one.changed_at for one in own).date().replace(day=1) for person, own in people.items()}  # fmt: skip
    buyers, revenue, sizes, nth = Counter(), Counter(), Counter(first.values()), Counter()
    for person, own in people.items():
        for month in {one.changed_at.date().replace(day=1) for one in own}:
            buyers[str(first[person]), str(month)] += 1
        for one in own:
            revenue[str(first[person]), str(one.changed_at.date().replace(day=1))] += (
                one.total_minor
            )
        for number in range(1, len(own) + 1):
            nth[str(first[person]), number] += 1
    assert buyers == {(one["cohort"], one["month"]): one["buyers"] for one in found}
    assert revenue == {(one["cohort"], one["month"]): one["revenue_minor"] for one in found}
    for one in found:
        size = sizes[datetime.fromisoformat(one["cohort"]).date()]
        assert (size, size, one["buyers"]) == (
            one["size"], one["retention_rate"]["tries"], one["retention_rate"]["hits"],
        )  # fmt: skip
    assert nth == {(one["cohort"], one["nth"]): one["buyers"] for one in repeated}
    assert [] == await lines(rig, "cohorts", currency="SEK")


def permission(person, version, state, at, purpose=Purpose.OFFERS):
    return PermissionEntry(
        person_id=person, channel=Channel.EMAIL, purpose=purpose, state=state, version=version,
        ledger_id=new_id(), occurred_at=at,
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_list_is_as_long_as_those_who_said_yes_and_not_no_since(rig_for, seed):
    rig = await rig_for(SPEC)
    kari, per, ola = new_id(), new_id(), new_id()
    march = datetime(2026, 3, 2, tzinfo=UTC)
    yes, no, wait = PermissionState.GRANTED, PermissionState.WITHDRAWN, PermissionState.PENDING
    entries = [
        permission(kari, 1, wait, START), permission(kari, 2, yes, START), permission(kari, 3, yes, march),
        permission(per, 1, yes, START), permission(per, 2, no, march), permission(per, 3, yes, march),
        permission(ola, 1, yes, START - timedelta(days=90)), permission(ola, 2, no, march),
        permission(ola, 1, yes, march, Purpose.NEWSLETTER),
    ]  # fmt: skip
    await tell(rig, [PermissionChangedV1(items=(one,)) for one in entries], seed)

    found = await lines(rig, "lists", until="2026-03-31")

    offers = {
        one["month"][:7]: (one["joined"], one["left"], one["people"])
        for one in found
        if one["purpose"] == "offers"
    }
    assert {"2026-01": (2, 0, 3), "2026-02": (0, 0, 3), "2026-03": (1, 2, 2)} == offers
    assert 1 == found[-2]["people"] == found[-2]["joined"]
    assert "newsletter" == found[-2]["purpose"]


async def test_what_was_scored_is_told_by_question_and_nps_only_of_its_own_scale(rig_for):
    rig = await rig_for(SPEC)
    survey = new_id()
    answers = [
        SurveyAnswered(
            answer_id=new_id(), survey_id=survey, survey_name="=Etter kjøpet", person_id=new_id(), way="link",
            scores={"recommend": score, "service": service}, answered_at=START,
        )
        for score, service in ((10, 5), (9, 4), (7, 3), (6, 3), (0, 5))
    ]  # fmt: skip
    await tell(rig, [SurveyAnsweredV1(items=(one,)) for one in answers])

    recommend, service = await lines(rig, "satisfaction")

    assert (5, 6.4, 0.0) == (recommend["answers"], recommend["mean"], recommend["nps"])
    assert (5, 4.0, None) == (service["answers"], service["mean"], service["nps"])
    assert "=Etter kjøpet" == service["survey_name"]
    async with rig.client() as client:
        table = (await client.get("/v1/reports/satisfaction.csv", params=SPAN)).text
    assert ",'=Etter kjøpet," in table


@pytest.mark.parametrize("seed", [1, 2])
async def test_two_days_are_kept_or_missed_on_the_day_on_which_the_answer_came(rig_for, seed):
    rig = await rig_for(SPEC)
    kinds = [ResponseKind.ORDER] * 4 + [ResponseKind.INQUIRY] * 2 + [ResponseKind.REFUSAL]
    answers = [
        ResponseRegistered(
            response_id=new_id(),
            kind=kind,
            way=ResponseWay.WEB,
            response_code="AAAAAA",
            responded_at=START,
        )
        for kind in kinds
    ]
    late = [
        AnswerDeadline(
            response_id=one.response_id, kind=one.kind, next_step="ship",
            due_at=datetime(2026, 2, 3, tzinfo=UTC),
        )
        for one in answers[:1] + answers[4:6]
    ]  # fmt: skip
    events = [ResponseRegisteredV1(items=(one,)) for one in answers]
    await tell(rig, [*events, *(DeadlineMissedV1(items=(one,)) for one in late)], seed)

    found = await lines(rig, "service-levels")

    assert [("2026-01-01", "inquiry", 2, 2, 0.0), ("2026-01-01", "order", 4, 1, 0.75)] == [
        (one["month"], one["kind"], one["promised"], one["missed"], one["in_time_rate"]["value"])
        for one in found
    ]


async def test_post_that_came_back_is_counted_once_and_costs_what_its_piece_had_cost(rig_for):
    rig = await rig_for(SPEC)
    kari, piece, campaign = new_id(), new_id(), new_id()
    back = [
        PostReturned(
            return_id=new_id(), code="X", kind=PostKind.LETTER, reason=reason, came_at=START
        )
        for reason in (PostReason.MOVED, PostReason.MOVED, PostReason.DEAD)
    ]
    known = back[0].model_copy(update={"person_id": kari, "campaign_id": campaign})
    released = PieceReleasedV1(
        campaign_id=campaign, campaign_name="Vår", launch_id=new_id(), cell_id=new_id(), key_code="A",
        segment_id=new_id(), channel=Channel.LETTER, purpose=Purpose.OFFERS, template_id=new_id(),
        cost_per_piece_minor=950, items=(Piece(piece_id=piece, person_id=kari, response_code="AAAAAA"),),
    )  # fmt: skip
    letter = LetterIdentified(
        return_id=back[0].return_id, person_id=kari, piece_id=piece, campaign_id=campaign
    )
    events = [PostReturnedV1(items=(one,)) for one in (*back, known)]
    await tell(rig, [*events, released, LetterIdentifiedV1(items=(letter,))])

    returned = await lines(rig, "returned-post")
    year = rig.clock.now().year
    lost = await lines(rig, "lost-post", since=f"{year}-01-01", until=f"{year}-12-31")

    assert {"moved": 2, "dead": 1} == {one["reason"]: one["pieces"] for one in returned}
    assert [("letter", "NOK", 950)] == [
        (one["channel"], one["currency"], one["lost_minor"]) for one in lost
    ]


NAMES = ("cohorts", "repeat-purchases", "lists", "lead-months", "satisfaction", "service-levels", "returned-post", "lost-post")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_days_that_are_no_span_are_refused_with_what_to_ask_for(rig_for, name):
    rig = await rig_for(SPEC)
    wrong = (
        {"since": "2026-02-01", "until": "2026-01-01"},
        {"since": "1990-01-01", "until": "2026-01-01"},
        {"since": "9999-12-31", "until": "9999-12-31"},
        {"since": "yesterday", "until": "2026-01-01"},
    )

    async with rig.client() as client:
        answers = [await client.get(f"/v1/reports/{name}", params=one) for one in wrong]
        empty = await client.get(f"/v1/reports/{name}.csv", params=SPAN)

    assert [422] * 4 == [answer.status_code for answer in answers]
    assert "before the year 9999" in answers[2].json()["detail"]
    assert "at most ten years later" in answers[1].json()["detail"]
    assert 1 == len(empty.text.splitlines())
