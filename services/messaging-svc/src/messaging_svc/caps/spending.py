"""What may still be spent, asked and counted in the transaction that hands messages over."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from kantis_kit.tx import Tx
from messaging_svc.caps import sql
from messaging_svc.settings import MessagingSettings


def days_of(now: datetime, settings: MessagingSettings) -> tuple[date, datetime]:
    """Return the company's day at a moment, and when its next one begins."""
    zone = ZoneInfo(settings.company_time_zone)
    today = now.astimezone(zone).date()
    return today, datetime.combine(today + timedelta(days=1), time(), zone)


@dataclass(frozen=True, slots=True)
class Budget:
    """What spend caps say of messages that are about to be handed over."""

    affordable: set[UUID]
    """They may go."""
    uncounted: set[UUID]
    """A cap speaks of them, and they have not been handed over before."""


async def within_budget(tx: Tx, ids: Sequence[UUID], today: date) -> Budget | None:
    """Return which of these messages the spend caps let go, in this order; None when no cap speaks of any of them.

    Those caps stay locked until the transaction ends, so that two senders never pass one together.
    """
    if not (await tx.scalars(sql.LOCK, {"ids": list(ids)})).all():
        return None
    room: dict[tuple[UUID, str], int] = {}
    by_message: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    costs: dict[UUID, int] = {}
    for row in await tx.execute(sql.ROOM, {"ids": list(ids), "today": today}):
        room.setdefault((row.cap_id, row.scope), row.room_minor)
        by_message[row.id].append((row.cap_id, row.scope))
        costs[row.id] = row.cost_minor
    granted = set(ids) - set(by_message)
    for id_, caps in by_message.items():
        if all(room[cap] >= costs[id_] for cap in caps):
            granted.add(id_)
            for cap in caps:
                room[cap] -= costs[id_]
    return Budget(granted, set(by_message))


async def count_spending(tx: Tx, ids: Collection[UUID], today: date) -> None:
    """Count what these messages cost, which have just been handed over for the first time."""
    if ids:
        await tx.execute(sql.COUNT, {"ids": list(ids), "today": today})


async def note_reached(tx: Tx, ids: Collection[UUID], today: date) -> bool:
    """Remember of the caps that hold these messages that they are reached; return whether that is news."""
    values = {"ids": list(ids), "today": today, "now": tx.clock.now()}
    return bool((await tx.scalars(sql.NOTE_REACHED, values)).all())
