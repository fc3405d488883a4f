"""Runs in flight: they keep their version, wait while they are paused or late, and take no step twice."""

import random
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest

from campaign_svc.programmes.usecases.starting import Start, start_runs
from kantis_kit import failpoints
from kantis_kit.failpoints import FailPointHit
from kantis_kit.ids import new_id
from kantis_kit.tx import write

END = {"kind": "end"}
PLACES = ("timer.before_commit", "tx.before_commit", "tx.after_commit")
"""Where a worker dies: before and after what it did is for good."""


@pytest.fixture(autouse=True)
def unarmed():
    yield
    failpoints.disarm_all()


def chain(say, *names, days=7):
    """Say something, wait, say the next thing, and so on."""
    steps = {"end": END}
    for name, following in zip(names, [*names[1:], "end"], strict=True):
        to = f"after_{name}" if following != "end" else "end"
        steps[name] = {"kind": "message", "say": say, "next": to}
        if to != "end":
            steps[to] = {"kind": "wait", "days": days, "next": following}
    return {"trigger": {"on": "hand"}, "start": names[0], "steps": steps}


async def test_people_in_flight_keep_their_version_and_new_ones_begin_in_the_new(programmes, say):
    kari, ola = new_id(), new_id()
    path = await programmes.live(chain(say, "one", "two"))
    await programmes.begin(path, kari)
    await programmes.change(path, chain(say, "one", "three"))
    await programmes.begin(path, ola)
    await programmes.go_on(timedelta(days=7))

    assert {
        ("one", kari): 1,
        ("two", kari): 1,
        ("one", ola): 1,
        ("three", ola): 1,
    } == programmes.asked()
    versions = await programmes.call("GET", f"{path}/versions")
    assert [2, 1] == [one["version"] for one in versions]


async def test_a_move_is_shown_first_names_whom_it_would_lose_and_takes_no_step_twice(
    programmes, say
):
    people = [new_id() for _ in range(3)]
    path = await programmes.live(chain(say, "one", "two"))
    await programmes.begin(path, *people)
    new = chain(say, "one", "three")
    new["steps"]["now"] = {"kind": "message", "say": say, "next": "after_one"}
    del new["steps"]["after_one"], new["steps"]["one"]["next"]
    new["steps"]["one"]["next"] = "pause"
    new["steps"]["pause"] = {"kind": "wait", "days": 1, "next": "now"}
    new["steps"]["now"]["next"] = "three"
    await programmes.change(path, new)

    lost = await programmes.call("POST", f"{path}/moves", 409, json={"from_version": 1})
    body = {"from_version": 1, "steps": {"after_one": "now"}}
    shown = await programmes.call("POST", f"{path}/moves/preview", json=body)
    untouched = programmes.asked()
    await programmes.call("POST", f"{path}/moves", 202, json=body)
    await programmes.rig.drain()

    assert "which version 2 does not have: after_one (3)" in lost["detail"]
    assert ["steps.after_one"] == [one["field"] for one in lost["errors"]]
    assert [{"step": "after_one", "to": "now", "runs": 3, "begins_anew": True}] == shown["steps"]
    assert {("one", one): 1 for one in people} == untouched
    assert dict.fromkeys(product(("one", "now", "three"), people), 1) == programmes.asked()


async def test_who_waits_at_a_step_that_both_versions_have_waits_on_after_a_move(programmes, say):
    kari = new_id()
    path = await programmes.live(chain(say, "one", "two"))
    await programmes.begin(path, kari)
    before = (await programmes.run(path, kari))["due_at"]
    await programmes.change(path, {**chain(say, "one", "two"), "start": "one"})
    await programmes.call("POST", f"{path}/moves", 202, json={"from_version": 1})
    await programmes.rig.drain()
    run = await programmes.run(path, kari)
    unknown = await programmes.call("POST", f"{path}/moves/preview", 404, json={"from_version": 2})

    assert (2, before) == (run["version"], run["due_at"])
    assert "version 2 is live" in unknown["detail"]


async def test_nothing_happens_while_a_programme_is_paused_and_nothing_is_lost(programmes, say):
    kari = new_id()
    path = await programmes.live(chain(say, "one", "two"))
    await programmes.begin(path, kari)
    await programmes.call("POST", f"{path}/pause")
    await programmes.go_on(timedelta(days=7))
    held = await programmes.run(path, kari)
    await programmes.call("POST", f"{path}/resume")
    await programmes.rig.drain()

    assert ("held", "paused") == (held["state"], held["held_because"])
    assert {("one", kari): 1, ("two", kari): 1} == programmes.asked()
    await programmes.call("POST", f"{path}/resume", 409)


@pytest.mark.parametrize(
    ("decision", "outcome", "said"), [("go_on", "ended", 1), ("end", "late", 0)]
)
async def test_what_is_days_late_waits_for_a_person(programmes, say, decision, outcome, said):
    kari = new_id()
    path = await programmes.live(chain(say, "one", "two"))
    await programmes.begin(path, kari)
    await programmes.go_on(timedelta(days=8, seconds=1))  # due a day and a second ago
    held = await programmes.run(path, kari)
    quiet = programmes.asked()
    done = await programmes.call("POST", f"{path}/late-runs", json={"decision": decision})
    await programmes.rig.drain()

    assert ("held", "late") == (held["state"], held["held_because"])
    assert {("one", kari): 1} == quiet
    assert 1 == done["runs"]
    assert outcome == (await programmes.run(path, kari))["outcome"]
    assert said == programmes.asked()["two", kari]


async def test_a_clock_that_jumps_to_and_fro_repeats_no_step(programmes, say):
    kari = new_id()
    path = await programmes.live(chain(say, "one", "two", "three"))
    await programmes.begin(path, kari)
    jumps = (
        timedelta(days=7),
        timedelta(hours=-1),
        timedelta(hours=2),
        timedelta(days=-30),
        timedelta(days=37),
    )
    for jump in jumps:
        programmes.rig.clock.set(programmes.rig.clock.now() + jump)
        await programmes.rig.drain()

    assert {(step, kari): 1 for step in ("one", "two", "three")} == programmes.asked()
    assert "ended" == (await programmes.run(path, kari))["outcome"]


@pytest.mark.parametrize(("place", "nth"), list(product(PLACES, (1, 2))))
async def test_each_step_happens_once_wherever_a_worker_dies(programmes, say, place, nth):
    people = [new_id() for _ in range(5)]
    path = await programmes.live(chain(say, "one", "two"))
    await programmes.begin(path, *people)
    failpoints.arm(place, "raise", nth=nth)
    await programmes.go_on(timedelta(days=7))
    await programmes.go_on(timedelta(minutes=1))  # what failed is tried again

    assert dict.fromkeys(product(("one", "two"), people), 1) == programmes.asked()
    assert {("end", "ended"): 5} == await programmes.standing()


@pytest.mark.slow
async def test_thousands_of_steps_happen_once_under_workers_that_die_at_random(programmes, say):
    people, chance = [new_id() for _ in range(2_000)], random.Random(11)
    names = ("one", "two", "three", "four")
    path = await programmes.live(chain(say, *names))
    for start in range(0, len(people), 500):
        await programmes.begin(path, *people[start : start + 500])

    def die():
        if chance.random() < 0.3:
            raise FailPointHit("at random")

    for place in PLACES[:2]:
        failpoints.on(place, die)
    for _ in names[1:]:
        await programmes.go_on(timedelta(days=7))
        for _ in range(
            20
        ):  # a timer that failed five times is parked; another wakes the lane within a minute
            await programmes.go_on(timedelta(minutes=1))
    failpoints.disarm_all()
    await programmes.go_on(timedelta(minutes=5))

    assert {("end", "ended"): 2_000} == await programmes.standing()
    assert dict.fromkeys(product(names, people), 1) == programmes.asked()


@pytest.mark.slow
async def test_ten_thousand_in_flight_move_as_the_preview_said_and_nobody_is_told_twice(
    programmes, say
):
    people = [new_id() for _ in range(10_000)]
    path = await programmes.live(chain(say, "one", "two", "three"))
    key = (UUID(path.rpartition("/")[2]), 1)
    for start in range(0, len(people), 1_000):
        async with write(programmes.rig.service.scope) as tx:
            await start_runs(tx, key, [Start(one) for one in people[start : start + 1_000]])
    await programmes.go_on(timedelta(minutes=1))
    new = chain(say, "one", "now", "three")
    await programmes.change(path, new)
    body = {"from_version": 1, "steps": {"two": "now", "after_two": "after_now"}}
    shown = await programmes.call("POST", f"{path}/moves/preview", json=body)
    before = await programmes.standing()
    await programmes.call("POST", f"{path}/moves", 202, json=body)
    await programmes.rig.drain()
    here = await programmes.call("GET", f"{path}/versions/2")
    again = await programmes.call("POST", f"{path}/moves/preview", json=body)
    for _ in range(2):
        await programmes.go_on(timedelta(days=7))

    assert {("after_one", "active"): 10_000} == before
    assert (10_000, [("after_one", "after_one", 10_000, False)]) == (
        shown["runs"],
        [(one["step"], one["to"], one["runs"], one["begins_anew"]) for one in shown["steps"]],
    )
    assert {"after_one": 10_000} == here["here"]
    assert (0, []) == (again["runs"], again["steps"])
    assert {("end", "ended"): 10_000} == await programmes.standing()
    assert dict.fromkeys(product(("one", "now", "three"), people), 1) == programmes.asked()
