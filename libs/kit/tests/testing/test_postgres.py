"""A fresh database per test, from a template that is built once."""

import asyncpg
import pytest

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
