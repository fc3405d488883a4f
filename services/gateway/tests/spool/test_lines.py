"""Leads of one form are delivered in the order of their coming, whatever happens between."""

import asyncio
from datetime import timedelta

import pytest

from gateway.spool import intake
from gateway.spool.jobs import step
from gateway.spool.usecases import RUN, Lead, take
from kantis_kit import failpoints
from kantis_kit.failpoints import FailPointHit
from kantis_kit.ids import new_id
from kantis_kit.tx import write

HTML = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def no_failpoint_stays():
    yield
    failpoints.disarm_all()


async def deliver(world) -> int:
    return await step(world.gateway, new_id())


async def post(world, body, *, path="/f/newsletter", headers=None):
    async with world.client() as client:
        return await client.post(path, content=body, headers=headers or HTML)


async def arrivals(world) -> list[str]:
    pool = await world.rig.services["contacts"].database.pool()
    # Ids are made in the order of their coming.
    return [row["name"] for row in await pool.fetch("SELECT name FROM thing ORDER BY id")]


class Failing:
    """A service that answers chosen bodies with a status, and all others as it should."""

    def __init__(self, app, **answers):
        self.app, self.answers, self.tried = app, answers, []

    async def __call__(self, scope, receive, send):
        message = await receive()
        body = message["body"].decode()
        self.tried.append(body)
        if body not in self.answers:
            given = iter([message, {"type": "http.disconnect"}])

            async def again():
                return next(given)

            await self.app(scope, again, send)
            return
        told = b'{"title": "Choose another answer", "detail": "Kari"}'
        headers = [(b"content-type", b"application/problem+json")]
        status = self.answers[body]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": told})


async def test_a_new_post_goes_behind_those_of_its_form_that_wait_and_others_pass(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    await post(world, "first")
    world.switches["contacts"].away = False

    behind = await post(world, "second")
    beside = await post(world, "other", path="/f/winter")
    before = await arrivals(world)
    await deliver(world)

    assert (202, 200) == (behind.status_code, beside.status_code)
    assert ["other"] == before
    assert ["other", "first", "second"] == await arrivals(world)
    assert 200 == (await post(world, "third")).status_code


async def test_what_this_gateway_keeps_it_knows_at_once(world_for, monkeypatch):
    monkeypatch.setattr(intake, "FRESH_SECONDS", 3_600)
    world = await world_for()
    passed = await post(world, "before")  # nobody waits, which is believed for an hour now
    world.switches["contacts"].away = True
    await post(world, "first")
    world.switches["contacts"].away = False

    behind = await post(world, "second")
    await deliver(world)

    assert (200, 202) == (passed.status_code, behind.status_code)
    assert ["before", "first", "second"] == await arrivals(world)


@pytest.mark.parametrize(("fresh_seconds", "status"), [(0, 202), (3_600, 200)])
async def test_what_another_gateway_keeps_is_seen_once_the_last_look_is_no_longer_fresh(
    world_for, monkeypatch, fresh_seconds, status
):
    monkeypatch.setattr(intake, "FRESH_SECONDS", fresh_seconds)
    world = await world_for()
    await post(world, "before")
    now = world.gateway.clock.now()
    async with write(world.gateway.scope, actor="visitor") as tx:
        await take(tx, Lead("/f/newsletter", "", [], b"elsewhere", "key of another", now))

    assert status == (await post(world, "after")).status_code


async def test_those_behind_wait_while_the_first_one_cannot_be_delivered(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    for name in ("a", "b", "c"):
        await post(world, name)
    world.switches["contacts"].away = False
    failing = Failing(world.switches["contacts"].app, a=503)
    world.switches["contacts"].app = failing

    tried = await deliver(world)
    while_it_pauses = await deliver(world)
    failing.answers.clear()
    world.rig.clock.advance(timedelta(seconds=3))
    rest = await deliver(world)

    assert (1, 0, 3) == (tried, while_it_pauses, rest)
    assert ["a", "a", "b", "c"] == failing.tried
    assert ["a", "b", "c"] == await arrivals(world)


async def test_when_the_first_probe_gets_through_every_line_moves_at_once(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    await post(world, "old", path="/f/winter")
    for _ in range(7):
        await deliver(world)
        (row,) = await world.spooled()
        world.rig.clock.set(row["next_at"])
    await deliver(world)  # its next attempt is minutes away
    await post(world, "new")
    await deliver(world)
    world.switches["contacts"].away = False
    world.rig.clock.advance(timedelta(seconds=3))

    tried = [await deliver(world) for _ in range(3)]

    assert [1, 1, 0] == tried
    assert ["new", "old"] == await arrivals(world)


async def test_a_refused_lead_is_shown_with_the_reason_and_does_not_hold_up_its_form(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    for name in ("a", "b", "c"):
        await post(world, name)
    world.switches["contacts"].away = False
    real = world.switches["contacts"].app
    world.switches["contacts"].app = Failing(real, a=422, b=403)

    await deliver(world)

    assert ["c"] == await arrivals(world)
    async with world.client(await world.key()) as client:
        path = "/v1/operations/gateway/spool"
        listed = (await client.get(f"{path}?state=refused")).json()["items"]
        waiting = (await client.get(f"{path}?state=waiting")).json()["items"]
        world.switches["contacts"].app = real
        retried = await client.post(f"{path}/{listed[0]['id']}/retry")
        await deliver(world)
        dropped = await client.delete(f"{path}/{listed[1]['id']}")
        gone = await client.post(f"{path}/{listed[1]['id']}/retry")
    assert [
        "the service said 422: Choose another answer",
        "the service said 403: Choose another answer",
    ] == [one["problem"] for one in listed]
    assert [] == waiting
    assert "Kari" not in str(listed)
    assert [200, 204, 404] == [one.status_code for one in (retried, dropped, gone)]
    assert ["c", "a"] == await arrivals(world)
    assert [] == await world.spooled()


async def test_a_lead_over_which_the_service_breaks_is_set_aside_for_a_person(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    for name in ("a", "b"):
        await post(world, name)
    world.switches["contacts"].away = False
    world.switches["contacts"].app = Failing(world.switches["contacts"].app, a=500)

    for _ in range(8):
        await deliver(world)
        world.rig.clock.advance(timedelta(minutes=6))

    assert ["b"] == await arrivals(world)
    assert [("stuck", b"a")] == [(row["state"], row["body"]) for row in await world.spooled()]


async def test_order_and_once_hold_when_deliverers_die_and_overlap(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    names = [f"{number:02}" for number in range(12)]
    for name in names:
        await post(world, name)
    world.switches["contacts"].away = False

    for _ in range(4):
        failpoints.arm("spool.delivered", "raise")
        with pytest.raises(FailPointHit):
            await deliver(world)
        failpoints.disarm_all()
        world.rig.clock.advance(timedelta(minutes=2))  # the lease of the dead one ends
    await asyncio.gather(*(deliver(world) for _ in range(3)))
    while await deliver(world):
        pass

    assert names == await arrivals(world)
    assert [] == await world.spooled()


async def test_a_service_without_its_database_keeps_the_order_too(world_for):
    world = await world_for()
    real = world.switches["contacts"].app

    async def no_database(scope, receive, send):
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    world.switches["contacts"].app = no_database
    taken = [(await post(world, name)).status_code for name in ("a", "b")]
    world.switches["contacts"].app = real
    taken.append((await post(world, "c")).status_code)
    while await deliver(world):
        pass

    assert [202, 202, 202] == taken
    assert ["a", "b", "c"] == await arrivals(world)


async def test_a_lead_that_a_person_sends_again_takes_nothing_from_who_delivers_its_line(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    for name in ("a", "b", "c"):
        await post(world, name)
    world.switches["contacts"].away = False
    failing = Failing(world.switches["contacts"].app, a=422)
    asked, may_go_on = asyncio.Event(), asyncio.Event()

    async def slow_for_b(scope, receive, send):
        message = await receive()
        if message["body"] == b"b":
            asked.set()
            await may_go_on.wait()

        async def again():
            return message

        await failing(scope, again, send)

    world.switches["contacts"].app = slow_for_b
    first = asyncio.ensure_future(deliver(world))
    await asked.wait()
    failing.answers.clear()
    async with world.client(await world.key()) as client:
        path = "/v1/operations/gateway/spool"
        (refused,) = (await client.get(f"{path}?state=refused")).json()["items"]
        await client.post(f"{path}/{refused['id']}/retry")
    second = await deliver(world)
    may_go_on.set()

    assert (3, 1) == (await first, second)
    assert ["a", "a", "b", "c"] == failing.tried
    assert ["a", "b", "c"] == await arrivals(world)


async def test_a_long_line_is_delivered_run_by_run(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    names = [f"{number:03}" for number in range(RUN + 5)]
    for name in names:
        await post(world, name)
    world.switches["contacts"].away = False
    world.switches["contacts"].calls = 0

    tried = await deliver(world)

    assert RUN + 5 == tried == world.switches["contacts"].calls
    assert names == await arrivals(world)
    assert [] == await world.spooled()
