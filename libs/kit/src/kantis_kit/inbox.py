"""Which events a queue has had; kept 90 days in weekly partitions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kantis_kit.db.partitions import add_partition, partitions_of

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
    existing = await partitions_of(connection, "inbox")
    for offset in range(5):
        start = week_start(now) + timedelta(weeks=offset)
        name = f"inbox_{start:%Y%m%d}"
        if name not in existing:
            end = start + timedelta(weeks=1)
            await add_partition(connection, "inbox", "event_id", name=name, start=start, end=end)
    oldest = f"inbox_{week_start(now - KEEP) - timedelta(weeks=1):%Y%m%d}"
    for name in sorted(existing - {"inbox_rest"}):
        if name <= oldest:
            await connection.execute(f"DROP TABLE {name}")
