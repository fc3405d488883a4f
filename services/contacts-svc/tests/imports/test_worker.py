"""The loop that takes rows: it gives way, goes on after what went wrong, and tells those who follow as fast as they follow."""

import asyncio

from contacts_svc.imports import usecases
from contacts_svc.imports.files import path_of
from contacts_svc.imports.worker import Worker
from contacts_svc.main import SPEC
from contacts_svc.people.usecases import create_contact, make_draft
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write

TABLE = "name,email\n" + "".join(f"Kari,kari{n}@example.com\n" for n in range(5))


async def looked_at(rig, started):
    async with rig.client() as client:
        return (await client.get(f"/v1/imports/{started['id']}")).json()


async def test_somebody_who_is_made_elsewhere_at_the_same_moment_is_met_and_not_doubled(
    rig_for, door
):
    rig = await rig_for(SPEC, start=False)
    started = await door.send(rig, TABLE)
    worker = Worker(rig.service)
    pool = await rig.service.database.pool()

    async def waits():
        query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return await pool.fetchval(query)

    async with asyncio.TaskGroup() as group:
        async with write(rig.service.scope, actor="test") as tx:
            draft = make_draft({"full_name": "Kari"}, email="kari3@example.com", phone="")
            await create_contact(tx, draft)
            await tx.flush()
            step = group.create_task(worker.step())
            await eventually(waits, message="the import did not meet the other")
        await step
    while await worker.step():
        pass

    done = await looked_at(rig, started)
    assert ("done", 4, 5) == (done["state"], done["created"], done["rows"])
    assert 5 == await pool.fetchval("SELECT count(*) FROM person")


async def test_a_file_that_cannot_be_read_fails_with_a_reason_and_stops_no_other(rig_for, door):
    rig = await rig_for(SPEC, start=False)
    broken = await door.send(rig, TABLE)
    path = path_of(rig.service.settings.data_dir, broken["id"])
    path.unlink()
    path.mkdir()
    good = await door.send(rig, TABLE.replace("kari", "ola"))
    worker = Worker(rig.service)
    worker._woken.set()  # nothing is waited for

    while await worker.step():
        pass

    failed, done = await looked_at(rig, broken), await looked_at(rig, good)
    assert ("failed", "done", 5) == (failed["state"], done["state"], done["created"])
    assert "could not be taken" in failed["problem"]
    assert "IsADirectoryError" in failed["problem"]
    path.rmdir()


async def test_a_file_that_is_gone_is_said_to_be(rig_for, door):
    rig = await rig_for(SPEC, start=False)
    started = await door.send(rig, TABLE)
    path_of(rig.service.settings.data_dir, started["id"]).unlink()

    await Worker(rig.service).step()

    failed = await looked_at(rig, started)
    assert "failed" == failed["state"]
    assert "the file is gone" in failed["problem"]


async def test_those_who_follow_are_told_in_slices_and_of_the_next_when_they_are_ready(
    rig_for, door
):
    rig = await rig_for(SPEC, start=False)
    started = await door.send(rig, TABLE)
    worker = Worker(rig.service)
    await worker.step()
    pool = await rig.service.database.pool()

    async def follow():
        async with write(rig.service.scope) as tx:
            more = await usecases.follow(tx, started["id"], slice_size=2, low=3)
        return more, await pool.fetchval("SELECT count(*) FROM touched_person")

    assert "done" == (await looked_at(rig, started))["state"]
    assert 0 == await pool.fetchval("SELECT count(*) FROM touched_person")
    assert [(True, 2), (True, 4), (False, 4)] == [await follow() for _ in range(3)]
    assert 1 == await pool.fetchval("SELECT count(*) FROM timer WHERE kind = 'imports.chunk'")
    await pool.execute("DELETE FROM touched_person")
    assert [(True, 1), (False, 1)] == [await follow() for _ in range(2)]
    assert 0 == await pool.fetchval("SELECT count(*) FROM timer WHERE kind = 'imports.chunk'")


async def test_imports_take_turns(rig_for, door):
    rig = await rig_for(SPEC, settings={"contacts": {"import_chunk_rows": 2}}, start=False)
    one = await door.send(rig, TABLE)
    other = await door.send(rig, TABLE.replace("kari", "ola"))
    worker = Worker(rig.service)

    for _ in range(4):
        await worker.step()

    assert [4, 4] == [(await looked_at(rig, each))["rows"] for each in (one, other)]


async def test_somebody_known_who_is_put_on_a_list_leaves_it_when_the_import_is_undone(
    rig_for, door
):
    rig = await rig_for(SPEC)
    await door.take(rig, TABLE)
    async with rig.client() as client:
        fair = (await client.post("/v1/segments", json={"name": "Fair", "kind": "list"})).json()
    again = await door.take(rig, TABLE, list_id=fair["id"])
    pool = await rig.service.database.pool()
    listed = await pool.fetchval("SELECT count(*) FROM list_member")

    async with rig.client() as client:
        await client.post(f"/v1/imports/{again['id']}/undo")
    await rig.drain()

    assert (5, 5) == (again["unchanged"], listed)
    assert 0 == await pool.fetchval("SELECT count(*) FROM list_member")
    assert 5 == await pool.fetchval("SELECT count(*) FROM person WHERE NOT is_erased")
