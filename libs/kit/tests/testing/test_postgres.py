"""A fresh database per test, from a template that is built once."""

import asyncpg
import pytest

from kantis_kit.db.database import CONNECTION_ERRORS
from kantis_kit.db.provision import ServiceDsns

BUILT: list[str] = []


async def build(dsns: ServiceDsns) -> None:
    BUILT.append(dsns.owner_dsn)
    connection = await asyncpg.connect(dsns.owner_dsn)
    await connection.execute("CREATE TABLE things (id int PRIMARY KEY)")
    await connection.close()


@pytest.mark.parametrize("attempt", range(3))
async def test_each_test_gets_an_empty_copy_and_the_template_is_built_once(fresh_database, attempt):
    dsns = await fresh_database("kit-sample", build)

    app = await asyncpg.connect(dsns.app_dsn)
    before = await app.fetchval("SELECT count(*) FROM things")
    await app.execute("INSERT INTO things VALUES ($1)", attempt)
    await app.close()

    assert before == 0
    assert len(BUILT) <= 1


async def test_the_run_time_role_of_a_copy_cannot_make_tables(fresh_database):
    dsns = await fresh_database("kit-sample", build)

    app = await asyncpg.connect(dsns.app_dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("CREATE TABLE more (id int)")
    await app.close()


async def build_counted(dsns: ServiceDsns) -> None:
    connection = await asyncpg.connect(dsns.owner_dsn)
    await connection.execute(
        "CREATE TABLE counted (id int GENERATED ALWAYS AS IDENTITY, word text)"
    )
    await connection.close()


EMPTY = "DELETE FROM counted; SELECT setval(pg_get_serial_sequence('counted', 'id'), 1, false)"


async def test_a_database_is_used_again_when_it_is_empty_and_left_by_all(postgres_server):
    used = []
    for _ in range(2):
        async with postgres_server.reused("kit-sample", build_counted, empty=EMPTY) as dsns:
            used.append(dsns.app_dsn)
            app = await asyncpg.connect(dsns.app_dsn)
            assert 0 == await app.fetchval("SELECT count(*) FROM counted")
            assert 1 == await app.fetchval("INSERT INTO counted (word) VALUES ('one') RETURNING id")
            late = app.transaction()
            await late.start()
            await app.execute("INSERT INTO counted (word) VALUES ('late')")
    assert used[0] == used[1]
    with pytest.raises(CONNECTION_ERRORS):
        await late.commit()


async def test_a_database_that_cannot_be_emptied_is_not_used_again(postgres_server):
    used = []
    for _ in range(2):
        async with postgres_server.reused("kit-spoilt", build_counted, empty=EMPTY) as dsns:
            used.append(dsns.app_dsn)
            owner = await asyncpg.connect(dsns.owner_dsn)
            await owner.execute("DROP TABLE counted")
            await owner.close()
    assert used[0] != used[1]
