"""Partitions by the time that ids carry: the same row always falls into the same one, whenever it comes.

What has no partition of its own lies in `<table>_rest`, and moves when one is made. Runs as the owner of the tables.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kantis_kit.ids import first_id_at

_NAME = re.compile(r".+_(rest|\d{6}|\d{8})")
_MONTHS = 12
_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Monthly:
    """A table that is partitioned by the month of an id."""

    table: str
    key: str
    """The column of the id by whose range it is partitioned."""


def is_partition(name: str) -> bool:
    """Say by the name of a table whether it is one of these partitions: `inbox_rest`, `inbox_20260302`, `fact_202603`."""
    return _NAME.fullmatch(name) is not None


async def partitions_of(connection: Any, table: str) -> set[str]:
    """Return the names of a table's partitions."""
    rows = await connection.fetch(
        "SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = $1::text::regclass",
        table,
    )
    return {row["name"] for row in rows}


async def add_partition(
    connection: Any, table: str, key: str, *, name: str, start: datetime, end: datetime
) -> None:
    """Make the partition of the ids (in the column `key`) from `start` to `end`.

    Rows that already lie in the rest partition move there, or the new one would be refused. Names come from the code and
    bounds from the date: nothing here comes from outside.
    """
    low, high = first_id_at(start), first_id_at(end)
    async with connection.transaction():
        await connection.execute(
            f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL);"  # noqa: S608
            f" WITH moved AS (DELETE FROM {table}_rest WHERE {key} >= '{low}' AND {key} < '{high}' RETURNING *)"
            f" INSERT INTO {name} SELECT * FROM moved;"
            f" ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')"
        )


async def keep_months(connection: Any, of: Monthly, now: datetime) -> None:
    """Make the partitions of this month and the next two; those before stay."""
    existing = await partitions_of(connection, of.table)
    for ahead in range(_AHEAD):
        start, end = _month(now, ahead), _month(now, ahead + 1)
        name = f"{of.table}_{start:%Y%m}"
        if name not in existing:
            await add_partition(connection, of.table, of.key, name=name, start=start, end=end)


def _month(now: datetime, ahead: int) -> datetime:
    years, month = divmod(now.month - 1 + ahead, _MONTHS)
    return now.replace(
        year=now.year + years, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0
    )
