"""Timers and recurring jobs: rows, on the injected clock, each once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from kantis_kit.errors import KantisError
from kantis_kit.testing.probe import SPEC
from kantis_kit.timers import MAX_ATTEMPTS, Job, on_timer, recurring
from kantis_kit.tx import write

FIRED: list[str] = []


class Broke(KantisError):
    """What a timer raises when told to."""


@on_timer("probe.ring")
async def ring(tx, timers):
    """Note what rang; `bad…` raises; `again…` sets itself anew."""
    for timer in timers:
        if timer.key.startswith("bad"):
            raise Broke(timer.key)
        if timer.key.startswith("again"):
            await tx.schedule("probe.ring", timer.key, tx.clock.now() + timedelta(days=1))
    FIRED.extend(timer.key for timer in timers)


@recurring("probe.daily", cron="0 6 * * *")
async def daily(tx):
    """Note the day."""
    FIRED.append(f"{tx.clock.now():%Y-%m-%d}")


@pytest.fixture(autouse=True)
def _nothing_fired():
    FIRED.clear()


async def schedule(rig, *keys, after):
    async with write(rig.service.scope) as tx:
        for key in keys:
            await tx.schedule("probe.ring", key, rig.clock.now() + after, {"key": key})


async def test_a_timer_fires_when_its_time_has_come_and_not_before(rig_for):
    rig = await rig_for(replace(SPEC, timers=[ring]))
    await schedule(rig, "egg", after=timedelta(days=400))
    await rig.drain()
    assert [] == FIRED

    rig.clock.advance(timedelta(days=400))
    await rig.drain()

    assert ["egg"] == FIRED


async def test_a_timer_set_again_under_its_name_replaces_the_first(rig_for):
    rig = await rig_for(replace(SPEC, timers=[ring]))
    await schedule(rig, "egg", after=timedelta(days=1))
    await schedule(rig, "egg", after=timedelta(days=3))

    rig.clock.advance(timedelta(days=2))
    await rig.drain()
    assert [] == FIRED
    rig.clock.advance(timedelta(days=2))
    await rig.drain()
    assert ["egg"] == FIRED


async def test_a_cancelled_timer_never_fires(rig_for):
    rig = await rig_for(replace(SPEC, timers=[ring]))
    await schedule(rig, "egg", "tea", after=timedelta(days=1))
    async with write(rig.service.scope) as tx:
        await tx.cancel("probe.ring", ["egg", "unknown"])

    rig.clock.advance(timedelta(days=2))
    await rig.drain()

    assert ["tea"] == FIRED


async def test_a_timer_may_set_itself_anew(rig_for):
    rig = await rig_for(replace(SPEC, timers=[ring]))
    await schedule(rig, "again", after=timedelta(days=1))

    for _ in range(3):
        rig.clock.advance(timedelta(days=1, minutes=1))
        await rig.drain()

    assert ["again"] * 3 == FIRED


async def test_a_timer_that_fails_is_parked_and_holds_back_no_other(rig_for):
    rig = await rig_for(replace(SPEC, timers=[ring]))
    await schedule(rig, "bad", "good", after=timedelta(hours=1))

    for _ in range(MAX_ATTEMPTS + 2):
        rig.clock.advance(timedelta(hours=2))
        await rig.drain()

    assert ["good"] == FIRED
    pool = await rig.service.database.pool()
    row = await pool.fetchrow("SELECT key, state, attempts, problem FROM timer")
    assert ("bad", "parked", MAX_ATTEMPTS, "Broke: bad") == tuple(row)


async def test_operators_see_parked_timers_and_have_them_fire_when_the_cause_is_mended(rig_for):
    mended = False

    @on_timer("probe.fragile")
    async def fragile(_tx, timers):
        if not mended:
            raise Broke("still broken")
        FIRED.extend(timer.key for timer in timers)

    rig = await rig_for(replace(SPEC, timers=[fragile]), start=False)
    async with write(rig.service.scope) as tx:
        for key in ("a", "b", "c"):
            await tx.schedule("probe.fragile", key, rig.clock.now())
    for _ in range(MAX_ATTEMPTS):
        await rig.service.timers.step()
        rig.clock.advance(timedelta(hours=1))
    path = "/v1/operations/probe/timers"

    async with rig.client(scopes=["operations:write"], caller="ops") as client:
        first = (await client.get(path, params={"limit": 2})).json()
        rest = (await client.get(path, params={"cursor": first["next_cursor"]})).json()
        told = (await client.get("/metrics")).text
        mended = True
        one = await client.post(f"{path}/replay", json={"timers": [first["items"][0]["id"]]})
        others = await client.post(f"{path}/replay", json={})
        none = await client.post(f"{path}/replay", json={})
    async with rig.client(scopes=["operations:read"]) as reader:
        refused = await reader.post(f"{path}/replay", json={})
    await rig.service.timers.step()

    shown = first["items"] + rest["items"]
    assert ["a", "b", "c"] == sorted(row["key"] for row in shown)
    assert {("probe.fragile", MAX_ATTEMPTS, "Broke: still broken")} == {
        (row["kind"], row["attempts"], row["problem"]) for row in shown
    }
    assert 'kantis_parked_timers{service="probe"} 3.0' in told
    assert [1, 2, 0] == [answer.json()["replayed"] for answer in (one, others, none)]
    assert 403 == refused.status_code
    assert ["a", "b", "c"] == sorted(FIRED)
    pool = await rig.service.database.pool()
    audited = await pool.fetch("SELECT subject FROM audit WHERE action = 'timer.replay'")
    assert {row["id"] for row in shown} == {row["subject"] for row in audited}


async def test_a_timer_of_a_failed_transaction_was_never_set(rig_for):
    rig = await rig_for(replace(SPEC, timers=[ring]))

    async def fail():
        async with write(rig.service.scope) as tx:
            await tx.schedule("probe.ring", "ghost", tx.clock.now())
            raise Broke("no")

    with pytest.raises(Broke):
        await fail()
    rig.clock.advance(timedelta(days=1))
    await rig.drain()

    assert [] == FIRED


async def test_thousands_of_timers_that_are_due_together_all_fire(rig_for):
    rig = await rig_for(replace(SPEC, timers=[ring]))
    async with write(rig.service.scope) as tx:
        await tx.schedule_many(
            "probe.ring", [(f"t{n}", tx.clock.now() + timedelta(days=1), {}) for n in range(1_500)]
        )

    rig.clock.advance(timedelta(days=1))
    await rig.drain()

    assert 1_500 == len(FIRED) == len(set(FIRED))


async def test_a_recurring_job_runs_once_a_turn_however_many_processes_look(rig_for):
    rig = await rig_for(replace(SPEC, jobs=[daily]), start=False)
    loop = rig.service.timers

    for day in (2, 3, 4):
        rig.clock.set(datetime(2026, 3, day, 6, 0, 1, tzinfo=UTC))
        await loop.step()
        await loop.step()

    assert ["2026-03-02", "2026-03-03", "2026-03-04"] == FIRED


async def test_a_job_missed_for_days_runs_once_not_once_per_day(rig_for):
    rig = await rig_for(replace(SPEC, jobs=[daily]), start=False)
    await rig.service.timers.step()
    FIRED.clear()

    rig.clock.advance(timedelta(days=30))
    await rig.service.timers.step()
    await rig.service.timers.step()

    assert 1 == len(FIRED)


async def test_a_job_that_fails_does_not_keep_timers_from_firing(rig_for):
    @recurring("probe.broken", every=timedelta(minutes=1))
    async def broken(tx):
        raise Broke("always")

    rig = await rig_for(replace(SPEC, timers=[ring], jobs=[broken]))
    await schedule(rig, "egg", after=timedelta(hours=1))

    rig.clock.advance(timedelta(hours=2))
    await rig.drain()

    assert ["egg"] == FIRED


def test_a_job_has_a_cron_expression_or_an_interval():
    with pytest.raises(TypeError):
        recurring("x")
    with pytest.raises(TypeError):
        recurring("x", cron="* * * * *", every=timedelta(hours=1))


def test_the_next_turn_follows_the_expression():
    moment = datetime(2026, 3, 2, 5, 59, tzinfo=UTC)
    assert datetime(2026, 3, 2, 6, 0, tzinfo=UTC) == Job(
        "x", daily.function, "0 6 * * *"
    ).next_after(moment)


async def test_the_kit_forgets_answers_after_a_week(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        await client.post("/v1/things", json={"name": "x"}, headers={"Idempotency-Key": "k"})
    rig.clock.advance(timedelta(days=8))
    rig.service.timers.wake()
    await rig.service.timers.step()

    async with write(rig.service.scope) as tx:
        assert 0 == await tx.scalar(text("SELECT count(*) FROM idempotency"))
