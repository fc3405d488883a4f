"""What every service's database must be: made by its migrations, undone by them, and as its models say."""

from collections.abc import Collection
from typing import Any

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import postgresql

from kantis_kit.db.environment import is_ours
from kantis_kit.db.migrate import migrate
from kantis_kit.service import Service

RULES_IN_SQL = ("remove_index", "remove_constraint", "remove_fk")
"""For services whose models leave indexes, checks and references to the migrations."""

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
_EMPTY = ["alembic_version"]


async def schema_problems(service: Service, *, in_sql_alone: Collection[str] = ()) -> list[str]:
    """Take the service's database down to nothing and up again; return what is not as it should be.

    Args:
        service: opened on a database of its own, and not started.
        in_sql_alone: kinds of differences that are meant, as alembic names them: `RULES_IN_SQL`.
    """
    owner = service.settings.postgres_owner_dsn.get_secret_value()
    before = await _tables(owner)
    await migrate(owner, service.spec.migrations, to="base")
    left = await _tables(owner)
    if found := [f"the way down leaves {one}" for one in left if one not in _EMPTY]:
        return found
    await migrate(owner, service.spec.migrations)
    after = await _tables(owner)
    found += [f"the way up again makes no {one}" for one in before if one not in after]
    found += [f"the way up again makes a new {one}" for one in after if one not in before]
    async with service.database.engine.connect() as connection:
        differences = await connection.run_sync(_differences, service.spec.metadata or MetaData())
    return found + [f"{one}" for one in differences if one[0] not in in_sql_alone]


async def _tables(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return [row[0] for row in await connection.fetch(_TABLES)]
    finally:
        await connection.close()


def _differences(connection: Connection, metadata: MetaData) -> list[tuple[Any, ...]]:
    context = MigrationContext.configure(
        connection, opts={"include_object": is_ours, "compare_type": True}
    )
    flat: list[tuple[Any, ...]] = []
    for one in compare_metadata(context, metadata):
        # What changes in one column comes as a list.
        flat += one if isinstance(one, list) else [one]
    return [one for one in flat if not _is_text_twice(one)]


def _is_text_twice(difference: tuple[Any, ...]) -> bool:
    """Say whether a column is text here and a string without a length there: the same to PostgreSQL."""
    if difference[0] != "modify_type":
        return False
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy does not type it
    names = {kind.compile(dialect=dialect) for kind in difference[-2:]}
    return names == {"TEXT", "VARCHAR"}
