"""What leaves a service: nothing without its cause, nothing lost, nothing doubled in effect."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from kantis_contracts.base import MAX_BYTES, MAX_ITEMS
from kantis_kit import failpoints
from kantis_kit.failpoints import FailPointHit
from kantis_kit.ids import new_id
from kantis_kit.outbox import cut
from kantis_kit.testing.probe import SPEC, Made, ThingMadeV1
from kantis_kit.tx import write


@pytest.fixture(autouse=True)
def _disarm():
    yield
    failpoints.disarm_all()


async def effects(rig):
    pool = await rig.service.database.pool()
    return {r["name"]: r["times"] for r in await pool.fetch("SELECT name, times FROM effect")}


async def make(rig, *names):
    async with write(rig.service.scope) as tx:
        tx.stage(ThingMadeV1(items=tuple(Made(id=new_id(), name=name) for name in names)))


async def test_a_crash_before_the_commit_leaves_no_event(rig_for):
    rig = await rig_for(SPEC, start=False)
    failpoints.arm("tx.before_commit", "raise", nth=1)

    with pytest.raises(FailPointHit):
        await make(rig, "ghost")
    await rig.service.start(connect=False)
    await rig.drain()

    assert [] == rig.published(ThingMadeV1)
    assert {} == await effects(rig)


@pytest.mark.parametrize("place", ["tx.after_commit", "relay.claimed", "relay.published"])
async def test_a_crash_after_the_commit_loses_no_event_and_doubles_no_effect(rig_for, place):
    rig = await rig_for(SPEC, start=False)
    failpoints.arm(place, "raise", nth=1)

    try:
        await make(rig, "kept")
        await rig.service.relay.step()
    except FailPointHit:
        pass
    pool = await rig.service.database.pool()
    await pool.execute(
        "UPDATE outbox SET claimed_until = now() - interval '1 second' WHERE claimed_by IS NOT NULL"
    )
    await rig.service.start(connect=False)
    await rig.drain()

    assert {"kept": 1} == await effects(rig)


async def test_a_transaction_that_commits_late_is_not_skipped(rig_for):
    rig = await rig_for(SPEC, start=False)
    early_is_staged, may_commit = asyncio.Event(), asyncio.Event()

    async def early():
        async with write(rig.service.scope) as tx:
            tx.stage(ThingMadeV1(items=(Made(id=new_id(), name="early"),)))
            await tx.seal()
            early_is_staged.set()
            await may_commit.wait()

    running = asyncio.ensure_future(early())
    await early_is_staged.wait()
    await make(rig, "late")
    assert 1 == await rig.service.relay.step()
    may_commit.set()
    await running
    assert 1 == await rig.service.relay.step()

    await rig.service.start(connect=False)
    await rig.drain()
    assert {"early": 1, "late": 1} == await effects(rig)


async def test_two_relays_share_the_work_and_publish_each_event_once(rig_for):
    rig = await rig_for(SPEC, start=False, duplicate=False)
    for number in range(30):
        await make(rig, f"thing {number}")
    rig.service.relay._batch = 7

    confirmed = [0]
    while sum(confirmed[-2:]):
        confirmed += await asyncio.gather(rig.service.relay.step(), rig.service.relay.step())
        if len(confirmed) == 1:
            break
    while await rig.service.relay.step():
        pass

    await rig.service.start(connect=False)
    await rig.drain()
    assert 30 == len(rig.published(ThingMadeV1))
    assert 30 == len(await effects(rig))


async def test_an_event_that_nobody_is_bound_for_stays_and_leaves_when_somebody_is(rig_for):
    rig = await rig_for(SPEC, start=False, duplicate=False)
    await rig.broker.declare([])
    pool = await rig.service.database.pool()
    bindings = rig.service.broker
    await bindings.declare([])
    await _unbind_everything(rig)
    await make(rig, "waiting")

    assert 0 == await rig.service.relay.step()
    row = await pool.fetchrow("SELECT attempts, problem FROM outbox")
    assert 1 == row["attempts"]
    assert row["problem"]

    from kantis_kit.consumer import subscriptions

    await bindings.declare(subscriptions(SPEC.handlers))
    await pool.execute("UPDATE outbox SET claimed_until = NULL")
    assert 1 == await rig.service.relay.step()


async def _unbind_everything(rig):
    import asyncpg

    connection = await asyncpg.connect(rig.broker._dsn)
    try:
        tables = [
            r["relname"]
            for r in await connection.fetch(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%binding%'"
            )
        ]
        for table in tables:
            await connection.execute(f"DELETE FROM {table}")
    finally:
        await connection.close()


async def test_an_event_with_no_items_is_nothing(rig_for):
    rig = await rig_for(SPEC)

    async with write(rig.service.scope) as tx:
        tx.stage(ThingMadeV1(items=()))
    await rig.drain()

    assert [] == rig.published(ThingMadeV1)


async def test_staging_thousands_of_items_publishes_batches_of_at_most_a_thousand(rig_for):
    rig = await rig_for(SPEC, duplicate=False)

    await make(rig, *(f"thing {n}" for n in range(2_345)))
    await rig.drain()

    sizes = [len(event.items) for event in rig.published(ThingMadeV1)]
    assert 2_345 == sum(sizes)
    assert MAX_ITEMS >= max(sizes)
    assert 2_345 == len(await effects(rig))


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=40))
def test_cutting_keeps_every_item_in_order_and_every_piece_small(lengths):
    event = ThingMadeV1(items=tuple(Made(id=new_id(), name="x" * n) for n in lengths))

    pieces = [ThingMadeV1.model_validate_json(data) for data in cut(event)]

    assert [i.id for i in event.items] == [i.id for piece in pieces for i in piece.items]
    assert all(
        len(piece.model_dump_json()) <= MAX_BYTES or len(piece.items) == 1 for piece in pieces
    )


def test_a_million_items_are_cut():
    item = Made(id=new_id(), name="")
    event = ThingMadeV1.model_construct(items=(item,) * 1_001_000)
    pieces = cut(event)

    assert MAX_ITEMS == len(ThingMadeV1.model_validate_json(next(pieces)).items)
    assert 1_000 == sum(1 for _ in pieces)


async def test_an_item_that_no_consumer_would_take_is_refused_before_it_is_stored(rig_for):
    rig = await rig_for(SPEC, start=False, settings={"probe": {"max_body_bytes": 4 * MAX_BYTES}})

    async with rig.client() as client:
        largest = await client.post("/v1/things", json={"name": "x" * (2 * MAX_BYTES - 100)})
        larger = await client.post("/v1/things", json={"name": "x" * (2 * MAX_BYTES)})

    assert (201, 413) == (largest.status_code, larger.status_code)
    assert "urn:kantis:problem:item-too-large" == larger.json()["type"]
    pool = await rig.service.database.pool()
    assert 1 == await pool.fetchval("SELECT count(*) FROM thing")
    (data,) = await pool.fetchrow("SELECT data FROM outbox")
    assert MAX_BYTES < len(data) <= 2 * MAX_BYTES


async def test_an_effect_of_an_effect_keeps_the_correlation_and_names_its_cause(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        answer = await client.post(
            "/v1/things",
            json={"name": "lamp"},
            headers={"X-Correlation-Id": "018f0000-0000-7000-8000-000000000001"},
        )
    await rig.drain()

    assert "018f0000-0000-7000-8000-000000000001" == answer.headers["x-correlation-id"]
    assert {"018f0000-0000-7000-8000-000000000001"} == {
        str(e.correlation_id) for e in rig.envelopes
    }


async def test_the_outbox_holds_nothing_once_the_broker_has_it(rig_for):
    rig = await rig_for(SPEC)
    await make(rig, "a", "b")
    await rig.drain()
    rig.clock.advance(timedelta(hours=1))

    rows, age = await rig.service.relay.lag()

    assert (0, 0.0) == (rows, age)
    async with write(rig.service.scope) as tx:
        assert 0 == await tx.scalar(text("SELECT count(*) FROM outbox"))
