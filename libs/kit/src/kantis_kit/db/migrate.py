"""Run a service's migrations: one `migrations/` folder per service, plain functions, asyncpg underneath."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is used: who serves does not migrate, and starts sooner without it.
LOCK_KEY = 0x6B616E74
"""One migration runner at a time per database (advisory lock, 'kant')."""

SESSION = {"lock_timeout": "4000", "timezone": "UTC"}
"""How a migration runs: one that waits longer for a lock gives up, for whoever comes behind it waits too."""

PATIENCE_SECONDS = 60
"""How long a runner waits for a connection: it starts beside everything else, and its failure stops all of that."""


def _config(folder: Path) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(folder))
    return config


def head(folder: Path) -> str:
    """Return the newest revision in the folder."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    return ScriptDirectory.from_config(_config(folder)).get_current_head() or ""


def statements(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each revision's name and the SQL of its upgrade, oldest first; no database is asked."""
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    session = "".join(f"SET {name} = '{value}';\n" for name, value in SESSION.items())
    revisions = ScriptDirectory.from_config(_config(folder)).walk_revisions()
    for revision in reversed(list(revisions)):
        config = _config(folder)
        config.output_buffer = StringIO()
        command.upgrade(config, f"{revision.down_revision or 'base'}:{revision.revision}", sql=True)
        yield Path(revision.path).stem, session + config.output_buffer.getvalue()


async def migrate(dsn: str, folder: Path, *, to: str = "head") -> None:
    """Bring the database to a revision; two runners at once wait for each other."""

    async def connect(*_: Any, **__: Any) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(dsn, timeout=PATIENCE_SECONDS, server_settings=SESSION)

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, poolclass=pool.NullPool
    )
    try:
        guard = await connect()
        try:
            await guard.execute("SET lock_timeout = '120s'")
            await guard.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
            async with engine.connect() as connection:
                await connection.run_sync(_run, folder, to)
                await connection.commit()
        finally:
            await guard.close()
    finally:
        await engine.dispose()


def _run(connection: Connection, folder: Path, to: str) -> None:
    from alembic import command  # noqa: PLC0415 - see above

    config = _config(folder)
    config.attributes["connection"] = connection
    if to == "base" or to.startswith("-"):
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)


async def current(dsn: str) -> str:
    """Return the revision that the database stands at, empty when it has none."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        exists = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
        if not exists:
            return ""
        return await connection.fetchval("SELECT version_num FROM alembic_version") or ""
    finally:
        await connection.close()
