"""T41: long transactions: whatever meets whichever step, they end completed, compensated, or in the operators' list."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import NAMESPACE_OID, uuid5

import orjson
import pytest
from sqlalchemy import text

from kantis_kit import failpoints, sagas
from kantis_kit.consumer import consumes
from kantis_kit.errors import KantisError
from kantis_kit.failpoints import FailPointHit
from kantis_kit.sagas import MAX_ATTEMPTS, SagaDefinition, Sagas, Step
from kantis_kit.testing.probe import SPEC, Made, ThingMadeV1
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write

STEPS = ("reserve", "charge", "ship")
WITHIN = timedelta(minutes=10)
BROKEN: set[str] = set()
KIND, KEY = "probe.order", "order-1"


class Broke(KantisError):
    """What a compensation raises when told to."""


def fact(saga, what):
    """An id that follows from the saga: the same fact twice is the same thing twice."""
    return ThingMadeV1(items=(Made(id=uuid5(NAMESPACE_OID, f"{saga.key} {what}"), name=what),))


def step(name):
    async def act(tx, saga):
        tx.stage(fact(saga, f"do {name}"))

    async def compensate(tx, saga):
        tx.stage(fact(saga, f"undo {name}"))
        if name in BROKEN:
            raise Broke(f"cannot undo {name}")

    return Step(name, act, WITHIN, compensate)


ORDER = SagaDefinition(KIND, [step(name) for name in STEPS])
SAGA_SPEC = replace(SPEC, handlers=[], sagas=[ORDER])


@pytest.fixture(autouse=True)
def _whole():
    BROKEN.clear()
    yield
    BROKEN.clear()
    failpoints.disarm_all()


class World:
    """A service whose loops stand still: the test alone says who moves when."""

    def __init__(self, rig):
        self.rig, self.scope = rig, rig.service.scope

    async def begin(self):
        async with write(self.scope) as tx:
            return await sagas.start(tx, KIND, KEY, {"order": 1})

    async def advance(self, name, data=None):
        async with write(self.scope) as tx:
            return await sagas.advance(tx, KIND, KEY, name, data)

    async def refuse(self, name):
        async with write(self.scope) as tx:
            return await sagas.refuse(tx, KIND, KEY, name, "sold out")

    async def reach(self, name):
        """Bring a new saga to where it waits for the reply of this step."""
        await self.begin()
        for before in STEPS[: STEPS.index(name)]:
            assert await self.advance(before)

    async def finish(self, name):
        for following in STEPS[STEPS.index(name) :]:
            assert await self.advance(following)

    async def pass_time(self, much=timedelta()):
        self.rig.clock.advance(much)
        await self.rig.service.timers.step()

    async def saga(self):
        async with write(self.scope) as tx:
            return await sagas.find(tx, KIND, KEY)

    async def stuck(self):
        async with write(self.scope) as tx:
            return await sagas.list_stuck(tx)

    async def facts(self):
        """What others were asked to do, in its order."""
        pool = await self.rig.service.database.pool()
        rows = await pool.fetch("SELECT data FROM outbox ORDER BY seq")
        return [item["name"] for row in rows for item in orjson.loads(row["data"])["items"]]

    async def timers(self):
        pool = await self.rig.service.database.pool()
        return await pool.fetchval("SELECT count(*) FROM timer")


@pytest.fixture
async def world(rig_for):
    return World(await rig_for(SAGA_SPEC, start=False))


def done(name):
    return [f"do {one}" for one in STEPS[: STEPS.index(name) + 1]]


def undone(name, *, too):
    count = STEPS.index(name) + (1 if too else 0)
    return [f"undo {one}" for one in reversed(STEPS[:count])]


# -- what can meet a step: each brings the saga from waiting at `name` to its end -------------------------------------


async def refused(world, name):
    assert await world.refuse(name)
    assert not await world.refuse(name)
    await world.pass_time()
    return "compensated", done(name) + undone(name, too=False)


async def deadline(world, name):
    await world.pass_time(WITHIN - timedelta(seconds=1))
    assert "running" == (await world.saga()).state
    await world.pass_time(timedelta(seconds=1))
    assert f"no reply to {name} by its deadline" == (await world.saga()).problem
    return "compensated", done(name) + undone(name, too=True)


async def duplicate_reply(world, name):
    assert await world.advance(name)
    assert not await world.advance(name)
    assert not await world.refuse(name)
    for following in STEPS[STEPS.index(name) + 1 :]:
        assert await world.advance(following)
        assert not await world.advance(name)
    return "completed", done("ship")


async def late_reply_after_compensation(world, name):
    await world.pass_time(WITHIN)
    assert not await world.advance(name)
    assert not await world.refuse(name)
    await world.pass_time(WITHIN)
    return "compensated", done(name) + undone(name, too=True)


async def late_reply_during_compensation(world, name):
    BROKEN.add("reserve")
    await world.pass_time(WITHIN)
    assert "compensating" == (await world.saga()).state
    assert not await world.advance(name)
    assert not await world.advance("reserve")
    BROKEN.clear()
    await world.pass_time(timedelta(seconds=1))
    return "compensated", done(name) + undone(name, too=True)


async def crash_before_commit(world, name):
    failpoints.arm("tx.before_commit", "raise", nth=1)
    with pytest.raises(FailPointHit):
        await world.advance(name)
    assert name == (await world.saga()).step
    assert done(name) == await world.facts()
    await world.finish(name)
    return "completed", done("ship")


async def crash_after_commit(world, name):
    failpoints.arm("tx.after_commit", "raise", nth=1)
    with pytest.raises(FailPointHit):
        await world.advance(name)
    assert not await world.advance(name)
    for following in STEPS[STEPS.index(name) + 1 :]:
        assert await world.advance(following)
    return "completed", done("ship")


async def refusal_crashes_before_commit(world, name):
    failpoints.arm("tx.before_commit", "raise", nth=1)
    with pytest.raises(FailPointHit):
        await world.refuse(name)
    assert "running" == (await world.saga()).state
    return await refused(world, name)


async def compensation_crashes_before_commit(world, name):
    failpoints.arm("tx.before_commit", "raise", nth=1)
    await world.pass_time(WITHIN)  # the loop tries what failed again, as another process would
    assert 0 == (await world.saga()).attempts
    return "compensated", done(name) + undone(name, too=True)


async def compensation_crashes_after_commit(world, name):
    failpoints.arm("tx.after_commit", "raise", nth=1)
    await world.pass_time(WITHIN)
    await world.pass_time(WITHIN)
    return "compensated", done(name) + undone(name, too=True)


async def compensation_fails_twice(world, name):
    BROKEN.add(name)
    await world.pass_time(WITHIN)
    await world.pass_time(timedelta(seconds=1))
    assert 2 == (await world.saga()).attempts
    BROKEN.clear()
    await world.pass_time(timedelta(seconds=4))
    return "compensated", done(name) + undone(name, too=True)


async def compensation_fails_three_times(world, name):
    BROKEN.add(name)
    for pause in (WITHIN, timedelta(seconds=1), timedelta(seconds=4), WITHIN):
        await world.pass_time(pause)
    (one,) = await world.stuck()
    assert (KEY, name, MAX_ATTEMPTS) == (one.key, one.step, one.attempts)
    assert f"no reply to {name} by its deadline" in one.problem
    assert f"cannot undo {name}" in one.problem
    assert not await world.advance(name)
    return "stuck", done(name)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize(
    "meet",
    [
        refused,
        deadline,
        duplicate_reply,
        late_reply_after_compensation,
        late_reply_during_compensation,
        crash_before_commit,
        crash_after_commit,
        refusal_crashes_before_commit,
        compensation_crashes_before_commit,
        compensation_crashes_after_commit,
        compensation_fails_twice,
        compensation_fails_three_times,
    ],
)
async def test_every_step_survives_every_fate(world, name, meet):
    await world.reach(name)

    state, facts = await meet(world, name)

    assert state == (await world.saga()).state
    assert facts == await world.facts()
    assert 0 == await world.timers()
    assert ([KEY] if state == "stuck" else []) == [one.key for one in await world.stuck()]


async def test_a_start_that_crashes_left_nothing_and_one_that_comes_twice_is_one(world):
    failpoints.arm("tx.before_commit", "raise", nth=1)
    with pytest.raises(FailPointHit):
        await world.begin()
    assert await world.saga() is None

    first = await world.begin()
    assert first.id == (await world.begin()).id
    assert ["do reserve"] == await world.facts()


async def test_a_stuck_saga_goes_on_once_it_is_resumed(world):
    await world.reach("charge")
    await compensation_fails_three_times(world, "charge")
    BROKEN.clear()
    one = await world.saga()

    async with write(world.scope) as tx:
        assert 1 == await sagas.resume(tx, [one.id])
        assert 0 == await sagas.resume(tx, [one.id])
    await world.pass_time()

    assert "compensated" == (await world.saga()).state
    assert ["undo charge", "undo reserve"] == (await world.facts())[-2:]


async def test_one_saga_that_cannot_be_undone_holds_back_no_other(world):
    await world.reach("ship")
    async with write(world.scope) as tx:
        await sagas.start(tx, KIND, "order-2")
    BROKEN.add("ship")

    await world.pass_time(WITHIN)

    async with write(world.scope) as tx:
        assert "compensated" == (await sagas.find(tx, KIND, "order-2")).state
    assert "compensating" == (await world.saga()).state


async def test_what_replies_bring_is_kept_for_the_steps_to_come(world):
    await world.reach("reserve")
    await world.advance("reserve", {"reservation": "r1"})

    assert {"order": 1, "reservation": "r1"} == (await world.saga()).data


async def test_two_processes_cannot_both_move_a_saga(world):
    await world.reach("charge")
    pool = await world.rig.service.database.pool()

    async def second_waits():
        # The second has read the saga as it was and waits for the row that the first has changed.
        return await pool.fetchval(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database()"
        )

    async with asyncio.TaskGroup() as group, write(world.scope) as tx:
        assert await sagas.advance(tx, KIND, KEY, "charge")
        second = group.create_task(world.advance("charge"))
        await eventually(second_waits, message="the second did not come to the row")

    assert not second.result()
    assert done("ship") == await world.facts()


async def test_a_deadline_waits_for_no_reply_under_way_and_looks_again(world):
    await world.reach("charge")
    async with write(world.scope) as tx:
        # A reply holds the saga and has not come to its timer yet: waiting for it here would be a deadlock.
        await tx.execute(text("SELECT 1 FROM saga FOR UPDATE"))
        await world.pass_time(WITHIN)
        assert "running" == (await world.saga()).state
        pool = await world.rig.service.database.pool()
        assert [(0,)] == [tuple(row) for row in await pool.fetch("SELECT attempts FROM timer")]
        assert await sagas.advance(tx, KIND, KEY, "charge")

    await world.pass_time(timedelta(seconds=1))
    assert ("running", "ship") == ((await world.saga()).state, (await world.saga()).step)
    assert 1 == await world.timers()


async def test_a_timer_that_rings_before_the_deadline_is_set_anew(world):
    await world.reach("charge")
    one = await world.saga()
    async with write(world.scope) as tx:
        await tx.schedule("kit.saga", str(one.id), tx.clock.now())

    await world.pass_time()
    assert "running" == (await world.saga()).state
    await world.pass_time(WITHIN)
    assert "compensated" == (await world.saga()).state


async def test_a_row_that_names_a_step_nobody_knows_ends_in_the_operators_list(world):
    await world.reach("charge")
    pool = await world.rig.service.database.pool()
    await pool.execute("UPDATE saga SET step = 'pack'")

    for pause in (WITHIN, timedelta(seconds=1), timedelta(seconds=4)):
        await world.pass_time(pause)

    (one,) = await world.stuck()
    assert "has no step pack" in one.problem


async def test_replies_that_come_twice_and_in_any_order_complete_it_once(rig_for):
    @consumes(ThingMadeV1, queue="probe.participant")
    async def reply(tx, event, _meta):
        for item in event.items:
            await sagas.advance(tx, KIND, KEY, item.name.removeprefix("do "))

    rig = await rig_for(replace(SAGA_SPEC, handlers=[reply]))
    world = World(rig)
    await world.begin()
    await rig.drain()

    assert "completed" == (await world.saga()).state
    assert done("ship") == [item.name for item in rig.items(ThingMadeV1)]


async def test_a_reply_to_nobody_is_ignored_and_to_an_unknown_step_is_an_error(world):
    assert not await world.advance("reserve")
    with pytest.raises(LookupError, match="no step pack"):
        await world.advance("pack")
    with pytest.raises(LookupError, match="no saga x"):
        Sagas([ORDER]).of("x")


def test_a_saga_has_steps_of_different_names_and_a_kind_of_its_own():
    with pytest.raises(TypeError, match="needs steps"):
        SagaDefinition("x", [])
    with pytest.raises(TypeError, match="needs steps"):
        SagaDefinition("x", [ORDER.steps[0], ORDER.steps[0]])
    with pytest.raises(TypeError, match="same kind"):
        Sagas([ORDER, ORDER])
