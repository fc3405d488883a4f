"""What may still be spent, asked and counted in the transaction that hands messages over."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text

from kantis_kit.tx import Tx
from messaging_svc.caps.conditions import CONCERNS, COSTS, SCOPE

_LOCK = text(
    f"""
    SELECT k.id FROM spend_cap k
    WHERE EXISTS (
        SELECT FROM dispatch d JOIN dispatch_source c ON c.id = d.source_id
        WHERE d.id = ANY(cast(:ids AS uuid[])) AND {COSTS} AND {CONCERNS})
    ORDER BY k.id FOR NO KEY UPDATE
    """  # noqa: S608 - the conditions are constants
)
_ROOM = text(
    f"""
    SELECT d.id, k.id AS cap_id, {SCOPE} AS scope, d.cost_minor, k.limit_minor - coalesce(n.spent_minor, 0) AS room_minor
    FROM unnest(cast(:ids AS uuid[])) WITH ORDINALITY AS t (id, place)
    JOIN dispatch d ON d.id = t.id
    JOIN dispatch_source c ON c.id = d.source_id
    JOIN spend_cap k ON {CONCERNS}
    LEFT JOIN spend_count n ON n.cap_id = k.id AND n.scope = {SCOPE}
    WHERE {COSTS}
    ORDER BY t.place
    """  # noqa: S608 - the conditions are constants
)
# After the hand-over: attempts were 0 before it.
_COUNT = text(
    f"""
    INSERT INTO spend_count (cap_id, scope, spent_minor, pieces)
    SELECT k.id, {SCOPE}, sum(d.cost_minor), count(*)
    FROM dispatch d
    JOIN dispatch_source c ON c.id = d.source_id
    JOIN spend_cap k ON {CONCERNS}
    WHERE d.id = ANY(cast(:ids AS uuid[])) AND d.cost_minor > 0 AND d.attempts = 1
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (cap_id, scope) DO UPDATE SET
        spent_minor = spend_count.spent_minor + excluded.spent_minor, pieces = spend_count.pieces + excluded.pieces
    """  # noqa: S608 - the conditions are constants
)
_REACHED = text(
    f"""
    UPDATE spend_cap SET reached_at = :now
    WHERE reached_at IS NULL AND id IN (
        SELECT k.id FROM dispatch d
        JOIN dispatch_source c ON c.id = d.source_id
        JOIN spend_cap k ON {CONCERNS}
        LEFT JOIN spend_count n ON n.cap_id = k.id AND n.scope = {SCOPE}
        WHERE d.id = ANY(cast(:ids AS uuid[])) AND coalesce(n.spent_minor, 0) + d.cost_minor > k.limit_minor)
    RETURNING id
    """  # noqa: S608 - the conditions are constants
)


async def within_budget(tx: Tx, ids: Sequence[UUID], today: date) -> set[UUID] | None:
    """Return which of these messages the spend caps let go, in this order; None when no cap speaks of any of them.

    Those caps stay locked until the transaction ends, so that two senders never pass one together.
    """
    if not (await tx.scalars(_LOCK, {"ids": list(ids)})).all():
        return None
    room: dict[tuple[UUID, str], int] = {}
    by_message: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    costs: dict[UUID, int] = {}
    for row in await tx.execute(_ROOM, {"ids": list(ids), "today": today}):
        room.setdefault((row.cap_id, row.scope), row.room_minor)
        by_message[row.id].append((row.cap_id, row.scope))
        costs[row.id] = row.cost_minor
    granted = set(ids) - set(by_message)
    for id_, caps in by_message.items():
        if all(room[cap] >= costs[id_] for cap in caps):
            granted.add(id_)
            for cap in caps:
                room[cap] -= costs[id_]
    return granted


async def count_spending(tx: Tx, ids: Collection[UUID], today: date) -> None:
    """Count what these messages cost, which have just been handed over for the first time."""
    await tx.execute(_COUNT, {"ids": list(ids), "today": today})


async def note_reached(tx: Tx, ids: Collection[UUID], today: date) -> bool:
    """Remember of the caps that hold these messages that they are reached; return whether that is news."""
    values = {"ids": list(ids), "today": today, "now": tx.clock.now()}
    return bool((await tx.scalars(_REACHED, values)).all())
