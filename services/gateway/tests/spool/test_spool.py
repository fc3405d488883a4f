"""A lead that finds its service away is kept, and delivered once."""

import asyncio
from datetime import timedelta

import pytest

from gateway.spool.jobs import forget_refused, step
from gateway.spool.model import is_refused, is_taken, pause_seconds
from kantis_kit import failpoints
from kantis_kit.failpoints import FailPointHit
from kantis_kit.ids import new_id
from kantis_kit.tx import write

HTML = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Accept": "application/json", "Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def no_failpoint_stays():
    yield
    failpoints.disarm_all()


async def deliver(world) -> int:
    return await step(world.gateway, new_id())


async def post(world, body="name=Kari", *, path="/f/newsletter", headers=None):
    async with world.client() as client:
        return await client.post(path, content=body, headers=headers or HTML)


async def test_a_lead_passes_straight_through_while_its_service_is_there(world):
    answer = await post(world)

    assert (200, "name=Kari") == (answer.status_code, answer.json()["taken"])
    assert [] == await world.spooled()


async def test_a_lead_is_kept_while_its_service_is_away_and_delivered_when_it_is_back(world_for):
    world = await world_for()
    world.switches["contacts"].away = True

    answer = await post(world, path="/f/newsletter?utm_source=a%20b")
    (row,) = await world.spooled()
    world.switches["contacts"].away = False
    tried = await deliver(world)

    assert 202 == answer.status_code
    assert ("/f/newsletter", "utm_source=a%20b", b"name=Kari") == (
        row["path"], row["query"], row["body"],
    )  # fmt: skip
    assert 1 == tried
    assert ["name=Kari"] == await world.names()
    assert [] == await world.spooled()


async def test_the_spool_takes_over_when_a_distributed_service_cannot_be_reached(world_for):
    world = await world_for("http")
    upstream = world.upstreams["contacts"]
    base, upstream._base = upstream._base, "http://127.0.0.1:1"

    answer = await post(world)
    upstream._base = base
    await deliver(world)

    assert 202 == answer.status_code
    assert ["name=Kari"] == await world.names()


async def test_a_service_without_its_database_counts_as_away(world_for):
    world = await world_for()
    real = world.switches["contacts"].app

    async def failing(scope, receive, send):
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b"no database"})

    world.switches["contacts"].app = failing
    answer = await post(world)
    world.switches["contacts"].app = real
    await deliver(world)

    assert 202 == answer.status_code
    assert "no database" not in answer.text
    assert ["name=Kari"] == await world.names()


async def test_a_service_that_breaks_over_a_lead_does_not_lose_it(world_for):
    world = await world_for()

    async def broken(scope, receive, send):
        raise ZeroDivisionError

    world.switches["contacts"].app = broken
    answer = await post(world)
    await deliver(world)

    assert 202 == answer.status_code
    assert ["waiting"] == [row["state"] for row in await world.spooled()]


async def test_a_service_that_takes_too_long_counts_as_away(world_for):
    world = await world_for(lead_timeout_seconds=0.01)

    async def hanging(scope, receive, send):
        await asyncio.Event().wait()

    world.switches["contacts"].app = hanging
    answer = await post(world)

    assert 202 == answer.status_code
    assert 1 == len(await world.spooled())


async def test_what_the_service_took_before_it_died_is_not_taken_twice(world_for):
    world = await world_for()
    real = world.switches["contacts"].app

    async def dies_after_commit(scope, receive, send):
        async def nowhere(message):
            pass

        await real(scope, receive, nowhere)
        raise ConnectionResetError

    world.switches["contacts"].app = dies_after_commit
    answer = await post(world)
    taken = await world.names()
    world.switches["contacts"].app = real
    await deliver(world)

    assert 202 == answer.status_code
    assert ["name=Kari"] == taken == await world.names()
    assert [] == await world.spooled()


async def test_a_crash_between_delivery_and_its_note_delivers_again_without_a_second_effect(
    world_for,
):
    world = await world_for()
    world.switches["contacts"].away = True
    await post(world)
    world.switches["contacts"].away = False
    failpoints.arm("spool.delivered", "raise")

    with pytest.raises(FailPointHit):
        await deliver(world)
    failpoints.disarm_all()
    too_early = await deliver(world)
    world.rig.clock.advance(timedelta(minutes=2))
    again = await deliver(world)

    assert (0, 1) == (too_early, again)
    assert ["name=Kari"] == await world.names()
    assert [] == await world.spooled()


async def test_leads_survive_a_restart_of_the_gateway(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    for number in range(5):
        await post(world, f"name={number}")
    world.switches["contacts"].away = False

    restarted = type(world.gateway)(
        world.gateway.spec,
        world.gateway.settings,
        clock=world.rig.clock,
        broker=world.gateway.broker,
    )
    from gateway.main import build_gateway

    build_gateway(restarted, world.upstreams)
    assert 5 == await step(restarted, new_id())
    await restarted.database.close()

    assert [f"name={number}" for number in range(5)] == await world.names()


async def test_the_loop_delivers_by_itself(world_for):
    world = await world_for(start=True)
    world.switches["contacts"].away = True
    await post(world)
    world.switches["contacts"].away = False
    world.rig.clock.advance(timedelta(minutes=10))

    from kantis_kit.testing.waiting import eventually

    await eventually(world.names, message="the lead did not arrive")

    assert ["name=Kari"] == await world.names()


async def test_two_deliverers_at_once_share_the_leads(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    for number in range(30):
        await post(world, f"{number:02}")
    world.switches["contacts"].away = False
    world.switches["contacts"].calls = 0

    while any(await asyncio.gather(deliver(world), deliver(world))):
        pass

    assert [f"{number:02}" for number in range(30)] == await world.names()
    assert 30 == world.switches["contacts"].calls


async def test_the_same_lead_under_the_same_key_is_kept_once(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    keyed = {**JSON, "Idempotency-Key": "one"}

    first = await post(world, '{"a": 1}', headers=keyed)
    second = await post(world, '{"a": 1}', headers=keyed)
    # Another visitor of a site that sends one key for all.
    others = [await post(world, '{"a": 2}', headers=keyed) for _ in range(2)]

    assert [202] * 4 == [a.status_code for a in (first, second, *others)]
    assert 2 == len(await world.spooled())


async def test_a_client_that_repeats_its_lead_later_changes_nothing(world_for):
    world = await world_for()
    keyed = {**JSON, "Idempotency-Key": "one"}
    world.switches["contacts"].away = True
    await post(world, "{}", headers=keyed)
    world.switches["contacts"].away = False
    await deliver(world)

    again = await post(world, "{}", headers=keyed)

    assert "true" == again.headers["idempotency-replayed"]
    assert ["{}"] == await world.names()


async def test_the_service_learns_when_the_lead_came_and_from_where(world_for):
    world = await world_for()
    seen = {}

    async def remember(scope, receive, send):
        seen.update(scope["headers"])
        await world_app(scope, receive, send)

    world_app = world.switches["contacts"].app
    world.switches["contacts"].away = True
    came = world.rig.clock.now()
    await post(world, headers={**HTML, "User-Agent": "Test/1", "Cookie": "a=1", "X-Other": "1"})
    world.switches["contacts"].app, world.switches["contacts"].away = remember, False
    world.rig.clock.advance(timedelta(hours=3))
    await deliver(world)

    assert came.isoformat() == seen[b"x-kantis-received-at"].decode()
    assert b"192.0.2.1" == seen[b"x-forwarded-for"]
    assert b"Test/1" == seen[b"user-agent"]
    assert not {b"cookie", b"x-other", b"authorization"} & seen.keys()


async def test_a_service_that_stays_away_is_asked_less_and_less_often(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    await post(world)

    waits = []
    for _ in range(4):
        await deliver(world)
        (row,) = await world.spooled()
        waits.append((row["next_at"] - world.rig.clock.now()).total_seconds())
        world.rig.clock.set(row["next_at"])

    assert [2.0, 4.0, 8.0, 16.0] == waits
    assert 4 == row["attempts"]
    assert 300.0 == pause_seconds(1_000)


async def test_a_refused_lead_is_kept_for_a_person_and_not_tried_again(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    await post(world, path="/f/gone")
    world.switches["contacts"].away = False
    await deliver(world)
    world.rig.clock.advance(timedelta(days=1))

    (row,) = await world.spooled()
    assert ("refused", 404, 0) == (row["state"], row["last_status"], await deliver(world))
    async with world.client(await world.key()) as client:
        listed = (await client.get("/v1/operations/gateway/spool")).json()["items"]
        retried = (await client.post("/v1/operations/gateway/spool/retry")).json()
    assert ["refused"] == [one["state"] for one in listed]
    assert "body" not in listed[0]
    assert {"retried": 1} == retried
    assert 1 == await deliver(world)


async def test_refused_leads_are_forgotten_after_a_month_and_waiting_ones_are_not(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    await post(world, path="/f/gone")
    world.switches["contacts"].away = False
    await deliver(world)
    world.switches["contacts"].away = True
    await post(world, "waiting")
    world.rig.clock.advance(timedelta(days=31))

    async with write(world.gateway.scope) as tx:
        await forget_refused.function(tx)

    assert [b"waiting"] == [row["body"] for row in await world.spooled()]


async def test_a_lead_that_waited_as_long_as_its_key_is_remembered_waits_for_a_person(world_for):
    world = await world_for()
    world.switches["contacts"].away = True
    await post(world)
    world.rig.clock.advance(timedelta(days=6))

    await deliver(world)

    assert ["stuck"] == [row["state"] for row in await world.spooled()]


async def test_a_full_spool_says_so_and_keeps_what_it_has(world_for):
    world = await world_for(spool_max_rows=2)
    world.switches["contacts"].away = True

    answers = [await post(world, f"{number}") for number in range(3)]

    assert [202, 202, 503] == [answer.status_code for answer in answers]
    assert int(answers[2].headers["retry-after"]) > 0
    assert 2 == len(await world.spooled())


@pytest.mark.parametrize(
    ("accept", "language", "word"),
    [("nb", "nb", "Takk"), ("sv-SE,en;q=0.5", "sv", "Tack"), ("da", "da", "Tak!"), ("fi", "fi", "Kiitos"),
     ("en", "en", "Thank you"), ("de", "en", "Thank you"), ("no", "nb", "Takk")],
)  # fmt: skip
async def test_people_are_thanked_in_their_language(world_for, accept, language, word):
    world = await world_for()
    world.switches["contacts"].away = True

    answer = await post(world, headers={**HTML, "Accept-Language": accept})

    assert word in answer.text
    assert language == answer.headers["content-language"]
    assert f'<html lang="{language}">' in answer.text
    assert "Kari" not in answer.text


async def test_programs_get_json(world_for):
    world = await world_for()
    world.switches["contacts"].away = True

    answer = await post(world, "{}", headers={**JSON, "Origin": "https://shop.example"})

    assert {"status": "accepted"} == answer.json()
    assert "*" == answer.headers["access-control-allow-origin"]


@pytest.mark.parametrize(
    "path", ["/f/newsletter/more", "/f/", "/f/a%20b", "/p/confirm", "/f/" + "a" * 101]
)
async def test_nothing_but_leads_is_spooled(world_for, path):
    world = await world_for()
    world.switches["contacts"].away = True

    answer = await post(world, path=path)

    assert 503 == answer.status_code
    assert [] == await world.spooled()


async def test_reading_a_form_is_not_spooled(world_for):
    world = await world_for()
    world.switches["contacts"].away = True

    async with world.client() as client:
        answer = await client.get("/f/newsletter")

    assert 503 == answer.status_code


def test_what_an_answer_means():
    assert [True, True, True, False] == [is_taken(s) for s in (200, 202, 303, 400)]
    assert all(is_refused(s) for s in (403, 404, 410, 422))
    assert not any(is_refused(s) for s in (200, 303, 401, 408, 409, 425, 429, 500, 503))
