"""What a connection asks the server about types, and what it knows from the ones before it."""

import uuid

import asyncpg
import pytest

from kantis_kit.db.connection import Connection

IDS = [uuid.UUID(int=1), uuid.UUID(int=2)]


async def _told(dsn, statement, *arguments, **options):
    """Run a statement on a connection of its own; return its value and every statement that the server was sent."""
    connection = await asyncpg.connect(dsn, connection_class=Connection, **options)
    sent = []
    connection.add_query_logger(lambda record: sent.append(record.query))
    try:
        return await connection.fetchval(statement, *arguments), sent
    finally:
        await connection.close()


@pytest.mark.parametrize("cached", [256, 0], ids=["named statements", "statements without a name"])
async def test_what_arrays_of_built_in_types_are_is_asked_once_in_a_process(fresh_database, cached):
    dsn = (await fresh_database()).app_dsn
    statement, options = "SELECT $1::uuid[]", {"statement_cache_size": cached}
    await _told(dsn, statement, IDS, **options)

    found, sent = await _told(dsn, statement, IDS, **options)

    assert found == IDS
    assert sent == [statement]


async def test_several_built_in_types_of_one_statement_are_known_too(fresh_database):
    dsn = (await fresh_database()).app_dsn
    await _told(dsn, "SELECT ($1::bigint[], $2::int4range)::text", [1], asyncpg.Range(1, 2))
    statement = (
        "SELECT array_length($1::bigint[] || $2::bigint[], 1) FROM (SELECT $3::int4range) AS r"
    )

    found, sent = await _told(dsn, statement, [1, 2], [3], asyncpg.Range(1, 2))

    assert found == 3
    assert sent == [statement]


async def test_a_type_of_the_databases_own_is_asked_about_in_each(fresh_database):
    for labels in ("'glad', 'sad'", "'one'"):
        dsn = (await fresh_database()).owner_dsn
        owner = await asyncpg.connect(dsn)
        await owner.execute(f"CREATE TYPE mood AS ENUM ({labels})")
        await owner.execute("CREATE TYPE pair AS (name text, mood mood)")
        await owner.close()

        found, sent = await _told(dsn, "SELECT ARRAY[('x', $1)::pair]", labels.split("'")[1])

        assert found == [("x", labels.split("'")[1])]
        assert len(sent) > 1
