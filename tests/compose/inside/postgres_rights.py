"""Runs in a service's container: what its own login may not do in PostgreSQL. Prints what was allowed, as JSON."""

import asyncio
import json
import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

DSN = Path(os.environ["KANTIS_POSTGRES_DSN_FILE"]).read_text(encoding="utf-8").strip()
FORBIDDEN = (
    "CREATE TABLE intruder (id int)",
    "CREATE SCHEMA intruder",
    "ALTER TABLE outbox ADD COLUMN intruder int",
    "DROP TABLE outbox",
    "TRUNCATE outbox",
    "CREATE ROLE intruder",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT rolpassword FROM pg_authid",
    "SET ROLE contacts_owner",
    "SET ROLE postgres",
)


def elsewhere(database: str, *, login: str = "") -> str:
    parts = urlsplit(DSN)
    place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login or place[0]}@{place[2]}", path=f"/{database}"))


async def refused(dsn: str, *statements: str) -> list[str]:
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except asyncpg.PostgresError:
        return []
    allowed = [] if statements else [f"connect to {urlsplit(dsn).path}"]
    try:
        for statement in statements:
            try:
                await connection.execute(statement)
            except asyncpg.InsufficientPrivilegeError:
                continue
            allowed.append(statement)
    finally:
        await connection.close()
    return allowed


async def main() -> None:
    allowed = await refused(DSN, *FORBIDDEN)
    own = urlsplit(DSN).path[1:]
    databases = [f"kantis_{each}" for each in ("contacts", "orders", "messaging", "gateway")]
    for database in (*databases, "postgres", "template1"):
        if database != own:
            allowed += await refused(elsewhere(database))
    allowed += await refused(elsewhere("postgres", login="postgres:postgres"))
    allowed += await refused(elsewhere("postgres", login="postgres"))
    connection = await asyncpg.connect(DSN, timeout=10)
    try:
        own_work = await connection.fetchval("SELECT count(*) FROM outbox")
        encrypted = await connection.fetchval("SHOW password_encryption")
    finally:
        await connection.close()
    print(json.dumps({"allowed": allowed, "own_work": own_work, "passwords": encrypted}))  # noqa: T201 - the test reads it


asyncio.run(main())
