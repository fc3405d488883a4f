"""What comes in: each effect once, poison set aside, the rest flowing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kantis_contracts.base import Envelope
from kantis_kit import failpoints
from kantis_kit.brokers.port import PORTION_BYTES, Delivery
from kantis_kit.consumer import MAX_ATTEMPTS, consumes, subscriptions
from kantis_kit.housekeeping import KEEP_PARKED
from kantis_kit.ids import new_id
from kantis_kit.parked import Parked, replay
from kantis_kit.signing import Keys
from kantis_kit.testing.probe import SPEC, Made, ThingMadeV1
from kantis_kit.tx import write


@pytest.fixture(autouse=True)
def _disarm():
    yield
    failpoints.disarm_all()


def made(*names):
    return ThingMadeV1(items=tuple(Made(id=new_id(), name=name) for name in names))


async def effects(rig):
    pool = await rig.service.database.pool()
    return {r["name"]: r["times"] for r in await pool.fetch("SELECT name, times FROM effect")}


async def let_retries_pass(rig, rounds=MAX_ATTEMPTS + 1):
    for _ in range(rounds):
        await rig.drain()
        rig.clock.advance(timedelta(minutes=10))
    await rig.drain()


async def test_delivered_three_times_and_shuffled_it_has_one_effect(rig_for):
    rig = await rig_for(SPEC)
    events = [made(f"thing {n}") for n in range(50)]

    await rig.publish(*events, copies=3)
    await rig.drain()

    assert {f"thing {n}": 1 for n in range(50)} == await effects(rig)


async def test_poison_is_parked_after_five_attempts_while_the_rest_flows(rig_for):
    rig = await rig_for(SPEC)

    await rig.publish(
        *(made(f"good {n}") for n in range(40)),
        made("poison"),
        *(made(f"fine {n}") for n in range(40)),
    )
    await rig.drain()
    assert 80 == len(await effects(rig))
    await let_retries_pass(rig)

    (row,) = await rig.parked()
    assert MAX_ATTEMPTS == row["attempts"]
    assert "HandlerBroke: poison" == row["problem"]
    assert "kantis_kit.testing.probe.on_thing_made" == row["handler"]
    assert 80 == len(await effects(rig))


async def test_a_replay_has_its_effect_once_however_often_it_is_replayed(rig_for):
    rig = await rig_for(SPEC, duplicate=False)
    failpoints.arm("consumer.before_commit", "raise")
    await rig.publish(made("late"))
    await let_retries_pass(rig)
    assert 1 == len(await rig.parked())
    failpoints.disarm_all()
    (row,) = await Parked(rig.service.scope).list()

    async def let_loose():
        async with write(rig.service.scope, actor="ops") as tx:
            return await replay(tx)

    assert 1 == await let_loose()
    await rig.drain()
    assert 0 == await let_loose()
    await rig.drain()

    assert {"late": 1} == await effects(rig)
    assert [] == await rig.parked()
    pool = await rig.service.database.pool()
    audited = await pool.fetch("SELECT actor, action, subject FROM audit")
    assert [("ops", "parked.replay", str(row.event_id))] == [tuple(one) for one in audited]


async def test_a_parked_message_is_forgotten_after_half_a_year_and_its_name_is_kept(rig_for):
    rig = await rig_for(SPEC, duplicate=False, start=False)
    consumer = rig.service.consumers[0]
    odd = Delivery(None, None, redelivered=False, raw=b"Kari Nordmann", problem="odd")
    await consumer._settle([odd])
    rig.clock.advance(KEEP_PARKED - timedelta(hours=1))
    await consumer._settle([odd])

    await rig.service.timers.step()
    assert 2 == len(await rig.parked())
    rig.clock.advance(timedelta(hours=7))
    await rig.service.timers.step()

    (left,) = await rig.parked()
    pool = await rig.service.database.pool()
    (told,) = await pool.fetch("SELECT action, subject, detail::text AS detail FROM audit")
    assert "parked.forgotten" == told["action"]
    assert str(left["event_id"]) != told["subject"]
    assert '"queue": "probe.effects"' in told["detail"]
    assert "Kari" not in str(tuple(told))


async def test_what_does_not_fit_the_schema_is_parked_at_once_with_the_reason(rig_for):
    rig = await rig_for(SPEC)
    keys = Keys.load(rig.keys_dir, "probe")
    bad = keys.sign(envelope(rig, ThingMadeV1.type, b'{"items": [{"id": "no-uuid", "name": 7}]}'))

    await rig.broker.publish([bad])
    await rig.publish(made("good"))
    await rig.drain()

    (row,) = await rig.parked()
    assert "items.0.id" in row["reason"]
    assert 1 == row["attempts"]
    assert {"good": 1} == await effects(rig)


async def test_a_forged_event_is_parked_and_has_no_effect(rig_for):
    rig = await rig_for(SPEC)
    data = made("forged").model_dump_json().encode()
    unsigned = envelope(rig, ThingMadeV1.type, data)
    by_another = Keys.load(rig.keys_dir, "orders").sign(envelope(rig, ThingMadeV1.type, data))
    posing = Keys.load(rig.keys_dir, "orders").sign(
        envelope(rig, ThingMadeV1.type, data).model_copy(update={"source": "orders"})
    )
    changed = Keys.load(rig.keys_dir, "probe").sign(envelope(rig, ThingMadeV1.type, b"{}"))
    changed = changed.model_copy(update={"data": data})

    await rig.broker.publish([unsigned, by_another, posing, changed])
    await rig.drain()

    assert {} == await effects(rig)
    assert {"the signature is not the producer's"} == {row["reason"] for row in await rig.parked()}
    assert 4 == len(await rig.parked())


async def test_a_version_from_the_future_is_parked_and_nothing_crashes(rig_for):
    rig = await rig_for(SPEC)
    consumer = rig.service.consumers[0]
    future = Keys.load(rig.keys_dir, "probe").sign(envelope(rig, "probe.thing.created.v9", b"{}"))

    await consumer._settle([Delivery(None, future, redelivered=False)])
    await rig.publish(made("present"))
    await rig.drain()

    (row,) = await rig.parked()
    assert "no handler for probe.thing.created.v9" in row["reason"]
    assert {"present": 1} == await effects(rig)


async def test_unreadable_bytes_are_parked_as_they_came(rig_for):
    rig = await rig_for(SPEC)

    await rig.service.consumers[0]._settle(
        [Delivery(None, None, redelivered=False, raw=b"\xff\x00?", problem="not JSON")]
    )

    (row,) = await rig.parked()
    assert b"\xff\x00?" == row["envelope"]
    assert "unreadable: not JSON" == row["reason"]


async def test_what_killed_its_consumer_five_times_is_parked_by_our_own_count(rig_for):
    rig = await rig_for(SPEC, start=False)
    from kantis_kit.parked import Waiting

    keys = Keys.load(rig.keys_dir, "probe")
    killer = keys.sign(envelope(rig, ThingMadeV1.type, made("die").model_dump_json().encode()))
    waiting = Waiting(rig.service.scope)
    for _ in range(
        MAX_ATTEMPTS
    ):  # five consumers have counted it and died before they could say more
        await waiting.begin("probe.effects", killer, "h")

    await rig.service.consumers[0]._settle([Delivery(None, killer, redelivered=True)])

    (row,) = await rig.parked()
    assert "its consumer died with it five times" == row["reason"]


async def test_innocents_delivered_together_with_a_killer_are_handled(rig_for):
    rig = await rig_for(SPEC, start=False)

    keys = Keys.load(rig.keys_dir, "probe")
    innocent = keys.sign(
        envelope(rig, ThingMadeV1.type, made("innocent").model_dump_json().encode())
    )

    for _ in range(MAX_ATTEMPTS + 2):
        await rig.service.consumers[0]._settle([Delivery(None, innocent, redelivered=True)])

    assert {"innocent": 1} == await effects(rig)
    assert [] == await rig.parked()


async def test_a_crash_between_commit_and_ack_has_one_effect(rig_for):
    rig = await rig_for(SPEC)
    failpoints.arm("consumer.before_ack", "raise", nth=1)

    await rig.publish(made("once"))
    await rig.drain()

    assert {"once": 1} == await effects(rig)


async def test_events_wait_in_the_broker_while_the_database_is_away(rig_for, postgres_server):
    rig = await rig_for(SPEC)
    database = rig.dsns["probe"].split("?")[0].rsplit("/", 1)[1]
    await postgres_server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    await postgres_server.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    )

    await rig.publish(made("patient"))
    async with rig.anonymous() as client:
        unready = await client.get("/readyz")
        alive = await client.get("/livez")
    await postgres_server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    await rig.drain()

    assert 503 == unready.status_code
    assert 200 == alive.status_code
    assert {"patient": 1} == await effects(rig)
    assert [] == await rig.parked()


async def test_the_same_things_cut_differently_have_the_same_effect(rig_for):
    rig = await rig_for(SPEC, settings={})
    items = tuple(Made(id=new_id(), name=f"thing {n}") for n in range(20))

    await rig.publish(ThingMadeV1(items=items[:7]), ThingMadeV1(items=items[7:]))
    await rig.drain()

    assert 20 == len(await effects(rig))


def test_two_handlers_for_one_type_on_one_queue_are_refused():
    @consumes(ThingMadeV1, queue="probe.effects")
    async def again(tx, event, meta):
        """Nothing."""

    with pytest.raises(TypeError, match="two handlers"):
        subscriptions([*SPEC.handlers, again])


def envelope(rig, kind, data):
    now = rig.clock.now()
    return Envelope(
        id=new_id(),
        type=kind,
        source="probe",
        occurred_at=now,
        recorded_at=now,
        correlation_id=new_id(),
        data=data,
    )


async def test_a_flood_of_small_events_is_handed_to_a_sink_as_one(rig_for):
    calls = []

    @consumes(ThingMadeV1, queue="probe.effects", sink=True)
    async def note(tx, event, meta):
        calls.append(len(event.items))

    rig = await rig_for(replace(SPEC, handlers=[note]), start=False, duplicate=False)
    keys = Keys.load(rig.keys_dir, "probe")
    batch = [
        Delivery(
            None,
            keys.sign(envelope(rig, ThingMadeV1.type, made("a", "b").model_dump_json().encode())),
            redelivered=False,
        )
        for _ in range(10)
    ]

    await rig.service.consumers[0]._settle(batch)
    await rig.service.consumers[0]._settle(batch)

    assert [20] == calls


class Queue:
    """A queue that notes what is settled."""

    def __init__(self):
        self.acked, self.released = [], []

    async def ack(self, deliveries):
        self.acked.append([one.tag for one in deliveries])

    async def release(self, deliveries):
        self.released += [one.tag for one in deliveries]


async def test_large_events_are_handled_some_at_a_time_and_the_rest_is_given_back_without_a_database(
    rig_for,
):
    rig = await rig_for(SPEC, start=False, duplicate=False)
    keys, queue = Keys.load(rig.keys_dir, "probe"), Queue()

    def delivery(tag, name, size=0):
        data = made(name).model_dump_json().encode() + b" " * size
        return Delivery(tag, keys.sign(envelope(rig, ThingMadeV1.type, data)), redelivered=False)

    third = PORTION_BYTES // 3
    batch = [delivery(n, f"large {n}", third) for n in range(5)]
    batch += [delivery(n, f"small {n}") for n in (5, 6, 7)]
    await rig.service.consumers[0].handle(queue, batch)

    assert [[0, 1], [2, 3], [4, 5, 6, 7]] == queue.acked
    assert 8 == len(await effects(rig))

    passages = iter("12")

    def away():
        if next(passages) == "2":
            raise ConnectionResetError

    failpoints.on("consumer.before_commit", away)
    more = [delivery(n, f"more {n}", third) for n in range(5)]
    await rig.service.consumers[0].handle(queue, more)

    assert ([0, 1], [2, 3, 4]) == (queue.acked[-1], queue.released)
    assert 10 == len(await effects(rig))


async def test_a_sink_that_stages_an_event_is_refused(rig_for):
    @consumes(ThingMadeV1, queue="probe.effects", sink=True)
    async def leaky(tx, event, meta):
        tx.stage(made("another"))

    rig = await rig_for(replace(SPEC, handlers=[leaky]), duplicate=False)
    await rig.publish(made("one"))
    await let_retries_pass(rig)

    (row,) = await rig.parked()
    assert "is declared a sink" in row["problem"]
