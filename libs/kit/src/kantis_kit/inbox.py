"""Which events a queue has had; kept 90 days in weekly partitions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kantis_kit.ids import first_id_at

KEEP = timedelta(days=90)
_EPOCH_WEEKDAY = 0

_TAKE = text(
    """
    INSERT INTO inbox (queue, event_id) SELECT :queue, id FROM unnest(cast(:ids AS uuid[])) AS new (id)
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)


async def take(session: AsyncSession, queue: str, ids: Sequence[UUID]) -> set[UUID]:
    """Record the events in the running transaction; return those that are new to this queue."""
    result = await session.execute(_TAKE, {"queue": queue, "ids": list(dict.fromkeys(ids))})
    return set(result.scalars())


def week_start(moment: datetime) -> datetime:
    """Return the Monday on which the week of `moment` began, at midnight UTC."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=(day.weekday() - _EPOCH_WEEKDAY) % 7)


async def maintain(connection: Any, now: datetime) -> None:
    """Make the partitions of this week and the next four, drop those that ended over 90 days ago.

    An event whose week has no partition (a replay of something very old) goes to the rest partition; rows there are
    deleted by the age that their id shows. Runs as the owner of the tables.
    """
    existing = {
        row["name"]
        for row in await connection.fetch(
            "SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'inbox'::regclass"
        )
    }
    for offset in range(5):
        start = week_start(now) + timedelta(weeks=offset)
        name = f"inbox_{start:%Y%m%d}"
        if name in existing:
            continue
        low, high = first_id_at(start), first_id_at(start + timedelta(weeks=1))
        async with connection.transaction():
            # Rows of that week which already lie in the rest partition must move, or the new one is refused. Names and
            # bounds are made from the date: nothing here comes from outside.
            await connection.execute(
                f"CREATE TABLE {name} (LIKE inbox INCLUDING ALL);"
                f" WITH moved AS (DELETE FROM inbox_rest WHERE event_id >= '{low}'"
                f" AND event_id < '{high}' RETURNING *)"
                f" INSERT INTO {name} SELECT * FROM moved;"
                f" ALTER TABLE inbox ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')"
            )
    oldest = f"inbox_{week_start(now - KEEP) - timedelta(weeks=1):%Y%m%d}"
    for name in sorted(existing - {"inbox_rest"}):
        if name <= oldest:
            await connection.execute(f"DROP TABLE {name}")
