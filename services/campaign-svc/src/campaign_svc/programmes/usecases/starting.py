"""Runs begin: each once per person and key, however often what begins them is told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from campaign_svc.programmes.model import lane_of
from campaign_svc.programmes.plans import PlanKey, plans_of
from kantis_kit.ids import new_id, new_id_text
from kantis_kit.tx import Tx

_START = """
    INSERT INTO programme_run (id, programme_id, version, person_id, merged_id, key, lane, state, step, number,
        is_inside, due_at, waits_for, own_key, woken_by, held_because, hears, heard, facts, passes, goals, outcome,
        started_at, changed_at)
    SELECT n.id, $1, $2, coalesce(a.known_id, n.person_id), a.merged_id, n.key, n.lane, 'active', $3, 0,
        false, n.due_at, '{}', false, '', '', $4, '{}', n.facts, '{}', '{}', '', $5, $5
    FROM unnest($6::uuid[], $7::uuid[], $8::text[], $9::int[], $10::timestamptz[], $11::jsonb[])
        AS n (id, person_id, key, lane, due_at, facts)
    LEFT JOIN person_alias a ON a.merged_id = n.person_id AND a.known_id IS NOT NULL
    WHERE NOT EXISTS (
        SELECT FROM programme_run o
        WHERE o.programme_id = $1 AND o.person_id = coalesce(a.known_id, n.person_id) AND o.key = n.key
          AND (o.ended_at IS NULL OR o.started_at > $12))
    ON CONFLICT DO NOTHING
    RETURNING lane, due_at
"""
_TIMER = "programme.lane"


@dataclass(frozen=True, slots=True)
class Start:
    """Somebody who is to begin, now or at a moment."""

    person_id: UUID
    key: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None


def timer_of(lane: int) -> str:
    """Return the kind of the timers that wake the worker of a lane."""
    return f"{_TIMER}{lane}"


async def wake(tx: Tx, due: Iterable[tuple[int, datetime]]) -> None:
    """See to it that the worker of each lane looks at the moment when its first run is due.

    Each call sets timers of its own: nobody waits for a row that a worker holds, and none is lost to it.
    """
    first: dict[int, datetime] = {}
    for lane, at in due:
        first[lane] = min(at, first.get(lane, at))
    for lane, at in sorted(first.items()):
        await tx.schedule(timer_of(lane), new_id_text(), at)


async def start_runs(tx: Tx, plan_key: PlanKey, starts: Sequence[Start]) -> int:
    """Begin runs in a version for those who may begin; return how many did."""
    plan = (await plans_of(tx, [plan_key]))[plan_key]
    now, again = tx.clock.now(), plan.graph.again_after_days
    # In the order of the people: of two who begin the same at once, one waits for the other.
    once = {(one.person_id, one.key): one for one in starts}
    rows = [(new_id(), once[key]) for key in sorted(once)]
    begun = await tx.fetch(
        _START,
        *plan_key,
        plan.graph.start,
        list(plan.hears),
        now,
        [id_ for id_, _ in rows],
        [one.person_id for _, one in rows],
        [one.key for _, one in rows],
        [lane_of(id_) for id_, _ in rows],
        [one.due_at or now for _, one in rows],
        [orjson.dumps(dict(one.facts), default=str).decode() for _, one in rows],
        _never(now) if again is None else now - timedelta(days=again),
    )
    await wake(tx, [(row["lane"], row["due_at"]) for row in begun])
    return len(begun)


def _never(now: datetime) -> datetime:
    """Return a moment before which nobody has begun anything."""
    return datetime(1970, 1, 1, tzinfo=now.tzinfo)


__all__ = ["Start", "start_runs", "timer_of", "wake"]
