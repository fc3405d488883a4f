"""Group commit: together when they come together, alone when they come alone, and one bad item fails alone."""

import asyncio
import json
from dataclasses import replace

import asyncpg
import pytest

from kantis_kit.errors import Conflict
from kantis_kit.groups import GroupReader, StatementWriter
from kantis_kit.ids import new_id
from kantis_kit.observability import correlation_id
from kantis_kit.testing.probe import SPEC, Made, ThingMadeV1


class Keeper:
    """Keeps names; refuses one that is bad."""

    def __init__(self):
        self.groups = []

    async def keep(self, tx, names):
        self.groups.append((list(names), correlation_id.get()))
        if "bad" in names:
            raise Conflict("bad")
        await tx.put(
            "INSERT INTO thing (id, name) SELECT * FROM unnest($1::uuid[], $2::text[])",
            [new_id() for _ in names],
            list(names),
        )
        return [name.upper() for name in names]


async def stored(rig):
    pool = await rig.service.database.pool()
    return sorted(row["name"] for row in await pool.fetch("SELECT name FROM thing"))


async def test_items_that_come_while_others_commit_are_written_by_one_statement(rig_for):
    rig = await rig_for(SPEC, start=False)
    keeper = Keeper()
    writer = StatementWriter(rig.service.scope, keeper.keep)
    names = [f"n{number:02}" for number in range(40)]

    answers = await asyncio.gather(*(writer.write(name) for name in names))

    assert [name.upper() for name in names] == answers
    assert names == await stored(rig)
    assert len(keeper.groups) < 10


async def test_one_that_comes_alone_waits_for_nobody_and_keeps_its_correlation(rig_for):
    rig = await rig_for(SPEC, start=False)
    keeper = Keeper()
    writer = StatementWriter(rig.service.scope, keeper.keep)
    mine = new_id()
    token = correlation_id.set(mine)

    answer = await writer.write("one")
    correlation_id.reset(token)
    await asyncio.gather(*(writer.write(name) for name in ("two", "three", "four", "five")))

    assert "ONE" == answer
    assert (["one"], mine) == keeper.groups[0]
    assert [(["two", "three"], None), (["four", "five"], None)] == keeper.groups[1:]


async def test_a_second_group_begins_beside_the_first_when_half_of_all_who_are_here_wait(rig_for):
    rig = await rig_for(SPEC, start=False)
    begun, gates = asyncio.Queue(), []

    async def work(_tx, names):
        gates.append(asyncio.Event())
        begun.put_nowait(list(names))
        await gates[-1].wait()
        return names

    async def some_rounds():
        for _ in range(10):
            await asyncio.sleep(0)

    writer = StatementWriter(rig.service.scope, work)
    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(writer.write(name))
        first = await begun.get()
        await some_rounds()
        one_waits = begun.empty()
        tasks.create_task(writer.write("d"))
        second = await begun.get()
        for name in "efg":
            tasks.create_task(writer.write(name))
        await some_rounds()
        all_wait = begun.empty()
        gates[0].set()
        third = await begun.get()
        gates[1].set()
        gates[2].set()

    assert [list("ab"), list("cd"), list("efg")] == [first, second, third]
    assert one_waits
    assert all_wait


async def test_one_bad_item_fails_alone(rig_for):
    rig = await rig_for(SPEC, start=False)
    writer = StatementWriter(rig.service.scope, Keeper().keep)
    names = [f"n{number:02}" for number in range(20)]
    names[13] = "bad"

    answers = await asyncio.gather(*(writer.write(name) for name in names), return_exceptions=True)

    assert [13] == [n for n, answer in enumerate(answers) if isinstance(answer, Conflict)]
    assert sorted(set(names) - {"bad"}) == await stored(rig)


async def test_a_database_that_is_away_is_told_to_all_at_once(rig_for):
    rig = await rig_for(SPEC, start=False)
    calls = []

    async def away(_tx, names):
        calls.append(len(names))
        raise ConnectionRefusedError

    writer = StatementWriter(rig.service.scope, away, under_way=1)

    answers = await asyncio.gather(
        *(writer.write(str(number)) for number in range(20)), return_exceptions=True
    )

    assert {ConnectionRefusedError} == {type(answer) for answer in answers}
    assert [20] == calls


async def keep_by_one_statement(tx, names):
    (found,) = await tx.look(
        "SELECT name FROM thing WHERE name = ANY($1::text[]) LIMIT 1", names
    ) or [None]
    if found is not None:
        raise Conflict(found["name"])
    tx.stage(ThingMadeV1(items=tuple(Made(id=new_id(), name=name) for name in names)))
    await tx.put(
        """
        WITH told AS (
            INSERT INTO outbox (id, type, subject, occurred_at, recorded_at, correlation_id, causation_id, traceparent, data)
            SELECT * FROM unnest($3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::uuid[],
                                 $9::uuid[], $10::text[], $11::bytea[])
        )
        INSERT INTO thing (id, name) SELECT * FROM unnest($1::uuid[], $2::text[])
        """,
        [new_id() for _ in names],
        list(names),
        *map(list, zip(*tx.outbox_rows(), strict=True)),
    )
    return [name.upper() for name in names]


async def test_rows_and_events_of_a_group_are_one_statement_and_nothing_of_one_that_fails_stays(
    rig_for,
):
    rig = await rig_for(SPEC, start=False)
    woken = []
    rig.service.scope.after_commit = lambda: woken.append(1)
    writer = StatementWriter(rig.service.scope, keep_by_one_statement)
    names = [f"n{number:02}" for number in range(20)]
    mine = new_id()
    token = correlation_id.set(mine)

    await writer.write("n07")
    correlation_id.reset(token)
    answers = await asyncio.gather(*(writer.write(name) for name in names), return_exceptions=True)
    pool = await rig.service.database.pool()
    told = await pool.fetch("SELECT correlation_id, data FROM outbox ORDER BY seq")

    assert [7] == [n for n, answer in enumerate(answers) if isinstance(answer, Conflict)]
    assert names == await stored(rig)
    assert mine == told[0]["correlation_id"]
    assert names == sorted(one["name"] for row in told for one in json.loads(row["data"])["items"])
    assert len(woken) == len(told) < 12


async def test_a_plan_that_was_made_for_an_empty_table_does_not_read_it_when_it_is_full(rig_for):
    rig = await rig_for(SPEC, start=False)
    owner = await asyncpg.connect(rig.service.settings.postgres_owner_dsn.get_secret_value())
    await owner.execute("ANALYZE thing")
    await owner.close()

    async def planned(pool):
        rows = await pool.fetch("EXPLAIN SELECT FROM thing WHERE id = $1", new_id())
        return " ".join(row[0] for row in rows)

    assert "Seq Scan" in await planned(await rig.service.database.pool())
    assert "Seq Scan" not in await planned(await rig.service.database.keyed_pool())


async def test_no_statement_is_compiled_whatever_the_server_is_set_to(rig_for):
    rig = await rig_for(SPEC, start=False)
    pool = await rig.service.database.pool()
    await pool.execute("ALTER ROLE CURRENT_USER SET jit = on")

    connection = await rig.service.database.connect()
    said = await connection.fetchval("SHOW jit")
    await connection.close()

    assert "off" == said


async def test_one_look_answers_all_who_asked_before_it_began():
    looks = []
    begun, gate = asyncio.Event(), asyncio.Event()

    async def look(items):
        looks.append(list(items))
        begun.set()
        await gate.wait()
        return [item * 2 for item in items]

    reader = GroupReader(look)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(reader.ask(1))
        await begun.wait()
        later = [tasks.create_task(reader.ask(n)) for n in (2, 3, 4)]
        await asyncio.sleep(0)
        gate.set()

    assert [[1], [2, 3, 4]] == looks
    assert [2, 4, 6, 8] == [task.result() for task in (first, *later)]


async def test_a_look_that_fails_fails_for_those_who_asked_it_only():
    async def look(items):
        if items == [1]:
            raise Conflict
        return items

    reader = GroupReader(look)

    with pytest.raises(Conflict):
        await reader.ask(1)
    assert 2 == await reader.ask(2)


async def test_the_short_way_stands_before_the_public_pages_of_its_prefix(rig_for):
    asked = []

    def wrap(service, app):
        async def short(scope, receive, send):
            asked.append((service.spec.name, scope["path"]))
            await app(scope, receive, send)

        return short

    rig = await rig_for(replace(SPEC, fast={"/probe": wrap}), start=False)

    async with rig.anonymous() as client:
        answer = await client.get("/probe/nothing")
        await client.get("/livez")
        await client.get("/v1/things")

    assert 200 == answer.status_code
    assert [(SPEC.name, "/probe/nothing")] == asked
