"""Partitions of the inbox: an event falls into one and the same, whenever it comes."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from kantis_kit.ids import first_id_at, id_time, new_id
from kantis_kit.inbox import maintain, week_start
from kantis_kit.testing.probe import SPEC


@pytest.fixture
async def owner(rig_for):
    rig = await rig_for(SPEC, start=False)
    connection = await asyncpg.connect(rig.service.settings.postgres_owner_dsn.get_secret_value())
    yield connection
    await connection.close()


async def partitions(connection):
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'inbox'::regclass"
    )
    return {r["relname"] for r in rows}


def id_at(moment):
    return first_id_at(moment)


async def test_partitions_are_made_ahead_and_dropped_after_ninety_days(owner):
    now = datetime(2026, 3, 4, 12, tzinfo=UTC)
    await maintain(owner, now)
    first = await partitions(owner)
    assert {
        "inbox_20260302",
        "inbox_20260309",
        "inbox_20260316",
        "inbox_20260323",
        "inbox_20260330",
        "inbox_rest",
    } == first

    await maintain(owner, now)
    assert first == await partitions(owner)

    await maintain(owner, now + timedelta(days=89))
    assert "inbox_20260302" in await partitions(owner)
    await maintain(owner, now + timedelta(days=104))
    assert "inbox_20260302" not in await partitions(owner)


async def test_an_event_recorded_before_its_partition_existed_is_still_known_after(owner):
    now = datetime(2026, 3, 4, 12, tzinfo=UTC)
    event = id_at(now)
    insert = "INSERT INTO inbox (queue, event_id) VALUES ('q', $1) ON CONFLICT DO NOTHING"
    assert "INSERT 0 1" == await owner.execute(insert, event)

    await maintain(owner, now)

    assert "INSERT 0 0" == await owner.execute(insert, event)
    assert 1 == await owner.fetchval("SELECT count(*) FROM inbox_20260302")


async def test_an_event_ninety_days_old_is_taken_once(owner):
    now = datetime(2026, 6, 4, 12, tzinfo=UTC)
    await maintain(owner, now)
    insert = "INSERT INTO inbox (queue, event_id) VALUES ('q', $1) ON CONFLICT DO NOTHING"
    old = id_at(now - timedelta(days=90))

    assert ["INSERT 0 1", "INSERT 0 0"] == [await owner.execute(insert, old) for _ in range(2)]


def test_ids_carry_the_moment_of_their_making():
    moment = datetime(2026, 3, 4, 12, tzinfo=UTC)

    assert moment == id_time(first_id_at(moment))
    assert first_id_at(moment) < first_id_at(moment + timedelta(milliseconds=1))
    assert 7 == new_id().version


def test_a_week_begins_on_monday_at_midnight():
    assert datetime(2026, 3, 2, tzinfo=UTC) == week_start(datetime(2026, 3, 8, 23, 59, tzinfo=UTC))
