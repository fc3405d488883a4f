"""Runs: each begins once, waits where the person lives, hears what happens, and takes each step once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kantis_contracts.campaign import CampaignErasureCompletedV1
from kantis_contracts.contacts import (
    InsightCard,
    InsightChangedV1,
    PersonCard,
    PersonChangedV1,
    PersonMergedV1,
)
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_contracts.orders import (
    OrderCard,
    OrderPaidV1,
    OrderPlacedV1,
    ProductCard,
    ProductChangedV1,
)
from kantis_kit.ids import new_id
from kantis_kit.testing.merges import Register

SEGMENT = new_id()
END = {"kind": "end"}


def order(programmes, person_id, order_id=None):
    return OrderCard(
        order_id=order_id or new_id(), version=1, number="1", person_id=person_id, total_minor=10_000,
        currency="NOK", changed_at=programmes.rig.clock.now(),
    )  # fmt: skip


def waiting(say, **wait):
    steps = {"rest": {"kind": "wait", **(wait or {"days": 7}), "next": "hello"},
             "hello": {"kind": "message", "say": say, "next": "end"}, "end": END}  # fmt: skip
    return {
        "trigger": {"on": "segment", "segment_id": str(SEGMENT)},
        "start": "rest",
        "steps": steps,
    }


async def test_each_order_has_a_run_of_its_own_that_hears_of_its_own_payment_alone(programmes, say):
    kari, first, second = new_id(), new_id(), new_id()
    pay = {"kind": "wait_for", "event": "order.paid", "same_key": True, "within_days": 14, "next": "paid",
           "timed_out": "unpaid"}  # fmt: skip
    steps = {
        "thanks": {"kind": "message", "say": say, "next": "pay"}, "pay": pay,
        "paid": {"kind": "goal", "goal": "paid"}, "unpaid": {"kind": "end", "outcome": "unpaid"},
    }  # fmt: skip
    path = await programmes.live(
        {"trigger": {"on": "order"}, "key": "order", "start": "thanks", "steps": steps}
    )

    async def ends():
        found = await programmes.call("GET", f"{path}/runs", params={"person_id": str(kari)})
        return {one["key"]: one["outcome"] for one in found["items"]}

    orders = (order(programmes, kari, first), order(programmes, kari, second))
    await programmes.rig.publish(OrderPlacedV1(items=orders))
    await programmes.rig.drain()
    await programmes.rig.publish(OrderPaidV1(items=(orders[1],)))
    await programmes.rig.drain()
    paid = await ends()
    await programmes.go_on()

    assert {str(first): "", str(second): "paid"} == paid
    assert {str(first): "unpaid", str(second): "paid"} == await ends()
    assert {("thanks", kari): 2} == programmes.asked()


async def test_a_run_begins_once_however_often_it_is_told_and_anew_when_it_may(programmes, say):
    kari = new_id()
    path = await programmes.live({**waiting(say), "again_after_days": 30})
    await programmes.segment(SEGMENT, "entered", kari, copies=2)
    await programmes.segment(SEGMENT, "entered", kari)
    again = [await programmes.begin(path, kari)]
    await programmes.go_on()  # the run ends
    again.append(await programmes.begin(path, kari))
    await programmes.go_on(timedelta(days=30))
    again.append(await programmes.begin(path, kari))

    assert [0, 0, 1] == again
    assert {("hello", kari): 1} == programmes.asked()


async def test_a_wait_ends_where_the_person_lives(programmes, say):
    oslo, helsinki, nowhere = people = [new_id() for _ in range(3)]
    cards = [
        PersonCard(person_id=oslo, version=1, country="NO"),
        PersonCard(person_id=helsinki, version=1, country="NO", time_zone="Europe/Helsinki"),
    ]
    await programmes.rig.publish(PersonChangedV1(items=tuple(cards)))
    await programmes.rig.drain()
    path = await programmes.live(waiting(say, days=1, at="09:00"))
    await programmes.begin(path, *people)

    due = {one: (await programmes.run(path, one))["due_at"] for one in people}

    # The clock stands on 2026-03-02 09:00 UTC: a day later it is past nine in both.
    assert {
        oslo: "2026-03-04T08:00:00Z",
        helsinki: "2026-03-04T07:00:00Z",
        nowhere: due[oslo],
    } == due


async def test_a_branch_asks_who_is_in_a_segment_now_and_what_the_run_knows(programmes, say):
    inside, left, rich, poor = people = [new_id() for _ in range(4)]
    is_rich = {"op": "fact", "name": "worth", "has": "at_least", "value": 100}
    member = {"op": "segment", "segment_id": str(SEGMENT)}
    steps = {
        "b": {"kind": "branch", "cases": [{"when": member, "next": "in"}, {"when": is_rich, "next": "rich"}],
              "otherwise": "none"},
        **{name: {"kind": "end", "outcome": name} for name in ("in", "rich", "none")},
    }  # fmt: skip
    path = await programmes.live({"trigger": {"on": "hand"}, "start": "b", "steps": steps})
    await programmes.segment(SEGMENT, "entered", inside, left)
    await programmes.segment(SEGMENT, "left", left)
    await programmes.begin(path, inside, left)
    await programmes.begin(path, rich, facts={"worth": 100})
    await programmes.begin(path, poor, facts={"worth": "100"})

    assert ["in", "none", "rich", "none"] == [
        (await programmes.run(path, one))["outcome"] for one in people
    ]


async def test_an_answer_counts_once_and_leads_where_it_is_written(programmes, say):
    kari, ola = new_id(), new_id()
    ask = {"kind": "ask", "question": "happy", "say": say, "answers": {"no": "care"}, "answered": "fine",
           "within_days": 5, "timed_out": "silent"}  # fmt: skip
    care = {"kind": "do", "action": {"kind": "task", "title": "Ring"}, "next": "ask"}
    steps = {"ask": ask, "care": care, "fine": END, "silent": END}
    path = await programmes.live({"trigger": {"on": "hand"}, "start": "ask", "steps": steps})
    await programmes.begin(path, kari, ola)
    await programmes.tell("answer.happy", kari, facts={"answer": "no"}, copies=2)
    await programmes.tell("answer.happy", ola, facts={"answer": "so so"})

    assert ["ask", "care", "ask"] == await programmes.way(path, kari)
    assert ["ask", "fine"] == await programmes.way(path, ola)
    tasks = await programmes.call("GET", "/v1/tasks")
    assert [("Ring", str(kari))] == [
        (one["action"]["title"], one["person_id"]) for one in tasks["items"]
    ]


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        pytest.param("2026-09-01", "2026-07-31T07:00:00Z", id="later"),
        pytest.param(None, None, id="forgotten"),
    ],
)
async def test_a_date_begins_a_run_of_its_contract_at_its_moment(programmes, say, again, expected):
    kari = new_id()

    async def known(on):
        item = {"person_id": str(kari), "name": "binding_expires", "key": "C1", "on": on}
        await programmes.call("PUT", "/v1/programmes/dates", 204, json={"items": [item]})
        await programmes.rig.drain()
        found = await programmes.call("GET", f"{path}/runs")
        return [(one["key"], one["due_at"]) for one in found["items"]]

    steps = {"hello": {"kind": "message", "say": say, "next": "end"}, "end": END}
    trigger = {"on": "date", "date": "binding_expires", "days": -32}
    path = await programmes.live(
        {"trigger": trigger, "key": "contract", "start": "hello", "steps": steps}
    )

    assert [("C1", "2026-04-30T07:00:00Z")] == await known("2026-06-01")
    assert ([("C1", expected)] if expected else []) == await known(again)
    await programmes.go_on()
    assert ({("hello", kari): 1} if expected else {}) == programmes.asked()


async def test_dates_that_were_known_before_begin_a_programme_when_it_is_published(programmes, say):
    kari, ola = new_id(), new_id()
    days = {kari: "2026-06-01", ola: "2026-01-01"}  # of one of them it has passed
    items = [{"person_id": str(one), "name": "renewal", "on": day} for one, day in days.items()]
    await programmes.call("PUT", "/v1/programmes/dates", 204, json={"items": items})
    steps = {"hello": {"kind": "message", "say": say, "next": "end"}, "end": END}
    path = await programmes.live(
        {"trigger": {"on": "date", "date": "renewal"}, "start": "hello", "steps": steps}
    )

    found = (await programmes.call("GET", f"{path}/runs"))["items"]

    assert [(str(kari), "2026-06-01T07:00:00Z")] == [
        (one["person_id"], one["due_at"]) for one in found
    ]


async def test_a_wait_until_a_date_follows_the_date_and_says_when_there_is_none(programmes):
    kari, ola = new_id(), new_id()

    async def known(on):
        item = {"person_id": str(kari), "name": "renewal", "on": on}
        await programmes.call("PUT", "/v1/programmes/dates", 204, json={"items": [item]})
        await programmes.rig.drain()

    steps = {"until": {"kind": "wait_until", "date": "renewal", "days": -7, "next": "end", "unknown": "none"},
             "end": END, "none": {"kind": "end", "outcome": "none"}}  # fmt: skip
    path = await programmes.live({"trigger": {"on": "hand"}, "start": "until", "steps": steps})
    await known("2026-05-01")
    await programmes.begin(path, kari, ola)
    await known("2026-05-11")

    assert datetime(2026, 5, 4, 7, tzinfo=UTC) == await programmes.go_on()
    assert ["ended", "none"] == [
        (await programmes.run(path, one))["outcome"] for one in (kari, ola)
    ]


async def test_a_product_is_matched_to_needs_that_were_learned_before_and_still_hold(programmes):
    lamp, gone, odd = new_id(), new_id(), new_id()
    kari, over, back, none = people = [new_id() for _ in range(4)]
    card = {
        "sku": "L",
        "name": "L",
        "price_minor": 100,
        "currency": "NOK",
        "vat_pct": 25,
        "version": 1,
    }
    products = (
        ProductCard(product_id=lamp, available=1, **card),
        ProductCard(product_id=gone, available=0, **card),
    )
    now = programmes.rig.clock.now()
    until = {over: now - timedelta(days=1)}
    cards = [
        InsightCard(insight_id=UUID(int=at + 1), person_id=one, term="light", kind="need", said_at=now,
                    until=until.get(one))
        for at, one in enumerate((kari, over, back))
    ]  # fmt: skip
    taken_back = cards[2].model_copy(update={"is_taken_back": True})
    told = (
        ProductChangedV1(items=products),
        InsightChangedV1(items=(*cards[:2], taken_back)),
        InsightChangedV1(items=tuple(cards)),
    )
    await programmes.rig.publish(*told)
    await programmes.rig.drain()
    match = {
        "kind": "match",
        "products": {"light": [str(one) for one in (odd, gone, lamp)]},
        "next": "some",
        "nothing": "none",
    }
    steps = {
        "match": match,
        **{name: {"kind": "end", "outcome": name} for name in ("some", "none")},
    }
    path = await programmes.live({"trigger": {"on": "hand"}, "start": "match", "steps": steps})
    await programmes.begin(path, *people)

    runs = {one: await programmes.run(path, one) for one in people}

    assert {kari: "some", over: "none", back: "none", none: "none"} == {
        one: run["outcome"] for one, run in runs.items()
    }
    assert str(lamp) == runs[kari]["facts"]["product"]


async def test_a_rule_or_another_programme_begins_one_and_a_person_is_in_it_once(programmes, say):
    kari = new_id()
    second = await programmes.live(waiting(say), "Second")
    begin = {"kind": "programme", "programme_id": second.rpartition("/")[2]}
    steps = {"a": {"kind": "do", "action": begin, "next": "b"}, "b": {"kind": "do", "action": begin, "next": "end"},
             "end": END}  # fmt: skip
    first = await programmes.live(
        {"trigger": {"on": "hand"}, "start": "a", "steps": steps}, "First"
    )
    await programmes.begin(first, kari)

    run = await programmes.run(second, kari)

    assert ("rest", "First") == (run["step"], run["facts"]["begun_by"])


async def test_a_run_follows_its_person_through_a_merge_and_is_forgotten_with_them(programmes, say):
    merged, known = new_id(), new_id()
    path = await programmes.live(waiting(say))
    await programmes.begin(path, merged)
    register = Register([merged, known], programmes.rig.clock.now())
    await programmes.rig.publish(PersonMergedV1(items=(register.merge(merged, known),)))
    await programmes.rig.drain()

    run = await programmes.run(path, known)
    again = await programmes.begin(path, known, merged)
    now = programmes.rig.clock.now()
    request = ErasureRequest(erasure_id=new_id(), person_ids=(known, merged), requested_at=now)
    await programmes.rig.publish(ErasureRequestedV1(items=(request,)))
    await programmes.rig.drain()

    assert (str(known), 0) == (run["person_id"], again)
    assert {} == await programmes.standing()
    assert await programmes.go_on(timedelta(days=30)) is not None
    assert {} == programmes.asked()


async def test_what_somebody_did_in_a_programme_is_forgotten_with_a_receipt(programmes, say):
    kari, ola = new_id(), new_id()
    path = await programmes.live(waiting(say))
    await programmes.begin(path, kari, ola)
    await programmes.go_on()
    now = programmes.rig.clock.now()
    request = ErasureRequest(erasure_id=new_id(), person_ids=(kari,), requested_at=now)
    await programmes.rig.publish(ErasureRequestedV1(items=(request,)))
    await programmes.rig.drain()

    pool = await programmes.rig.service.database.pool()
    left = await pool.fetch(
        "SELECT r.person_id FROM programme_visit v LEFT JOIN programme_run r ON r.id = v.run_id"
    )

    assert [ola] == [row["person_id"] for row in left]
    (receipt,) = programmes.rig.items(CampaignErasureCompletedV1)
    assert (1, 1) == (receipt.removed["programme_run"], receipt.removed["programme_visit"])


async def test_what_nobody_can_begin_is_refused_with_the_place_and_the_cure(programmes, say):
    graph = {**waiting(say), "trigger": {"on": "order"}, "key": "order"}
    body = {"name": "N", "graph": graph}
    draft = await programmes.call("POST", "/v1/programmes", 201, json=body)
    path = f"/v1/programmes/{draft['id']}"
    items = {"items": [{"person_id": str(UUID(int=1))}]}
    not_live = await programmes.call("POST", f"{path}/runs", 409, json=items)
    await programmes.call("POST", f"{path}/publish")
    no_key = await programmes.call("POST", f"{path}/runs", 422, json=items)
    twice = await programmes.call("POST", f"{path}/publish", 409)
    graph["steps"]["rest"]["next"] = "nowhere"
    dead_end = await programmes.call("POST", "/v1/programmes", 422, json=body)

    assert "publish or resume it first" in not_live["detail"]
    assert "items.0.key: the programme has a run per order" in no_key["detail"]
    assert "change the programme first" in twice["detail"]
    (error,) = dead_end["errors"]
    assert ("graph.steps.rest.next", "dead_end") == (error["field"], error["code"])
