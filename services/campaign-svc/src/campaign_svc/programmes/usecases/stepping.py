"""Runs that are due go on: up to a thousand in one transaction, each step of each once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from campaign_svc.programmes.model import LANES
from campaign_svc.programmes.plans import Plan, PlanKey, loaded, plans_of
from campaign_svc.programmes.runs import Walker, World
from campaign_svc.programmes.schemas.api import ProgrammeState
from campaign_svc.programmes.usecases.acting import PersonAct, do
from campaign_svc.programmes.usecases.starting import wake
from campaign_svc.programmes.walking import Walk, walk
from campaign_svc.settings import CampaignSettings
from kantis_kit.tx import Tx

BATCH = 1_000
_DUE = """
    SELECT id, programme_id, version, person_id, key, step, number, is_inside, woken_by, due_at, heard, facts, passes,
        goals
    FROM programme_run WHERE lane = $1 AND due_at <= $2
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
"""
_NEXT = "SELECT min(due_at) AS due_at FROM programme_run WHERE lane = $1 AND due_at IS NOT NULL"
_STATES = "SELECT id, state FROM programme WHERE id = ANY($1::uuid[])"
_ZONES = "SELECT person_id, zone FROM person_zone WHERE person_id = ANY($1::uuid[])"
_MEMBERS = """
    SELECT segment_id, person_id FROM segment_member
    WHERE person_id = ANY($1::uuid[]) AND segment_id = ANY($2::uuid[]) AND is_in
"""
_DATES = """
    SELECT person_id, name, key, on_date FROM person_date
    WHERE person_id = ANY($1::uuid[]) AND name = ANY($2::text[])
"""
_NEEDS = """
    SELECT person_id, term FROM person_need
    WHERE person_id = ANY($1::uuid[]) AND NOT is_taken_back AND (until IS NULL OR until > $2)
"""
_FOR_SALE = "SELECT product_id FROM product WHERE product_id = ANY($1::uuid[]) AND is_active AND available > 0"
_HOLD = """
    UPDATE programme_run r SET state = 'held', held_because = n.because, due_at = NULL, changed_at = $3
    FROM unnest($1::uuid[], $2::text[]) AS n (id, because) WHERE r.id = n.id
"""
_WRITE = """
    UPDATE programme_run r
    SET step = n.step, number = n.number, is_inside = n.is_inside, due_at = n.due_at, woken_by = '',
        waits_for = string_to_array(n.waits_for, ','), own_key = n.own_key, facts = n.facts, passes = n.passes,
        goals = string_to_array(n.goals, ','), outcome = n.outcome, changed_at = $12,
        state = CASE WHEN n.has_ended THEN 'ended' ELSE 'active' END,
        ended_at = CASE WHEN n.has_ended THEN cast($12 AS timestamptz) END
    FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bool[], $5::timestamptz[], $6::text[], $7::bool[], $8::jsonb[],
                $9::jsonb[], $10::text[], $11::text[], $13::bool[])
        AS n (id, step, number, is_inside, due_at, waits_for, own_key, facts, passes, goals, outcome, has_ended)
    WHERE r.id = n.id
"""
_VISIT = ("run_id", "number", "steps", "at")


@dataclass(slots=True)
class _Moved:
    """A run that has walked."""

    key: PlanKey
    run: Walker
    walk: Walk


async def step_due(tx: Tx, lane: int) -> int:
    """Take the runs of a lane on that are due, and see to it that it is looked again in time; return how many."""
    now = tx.clock.now()
    rows = await tx.fetch(_DUE, lane, now, BATCH)
    going = await _hold_back(tx, rows, now)
    plans = await plans_of(tx, [(row["programme_id"], row["version"]) for row in going])
    world = await _look_around(tx, going, plans.values(), now)
    moved = []
    for row in going:
        key, run = (row["programme_id"], row["version"]), _walker(row)
        moved.append(_Moved(key, run, walk(run, plans[key].graph, world)))
    await _write(tx, moved, now)
    await do(
        tx, [PersonAct(one.key, one.run.person_id, act) for one in moved for act in one.walk.acts]
    )
    if len(rows) == BATCH:
        await wake(tx, [(lane, now)])
    else:
        following = (await tx.fetch(_NEXT, lane))[0]["due_at"]
        if following is not None:
            await wake(tx, [(lane, following)])
    return len(rows)


async def look(tx: Tx) -> None:
    """Wake the lanes with runs that are overdue: after a restore, or when their timers were parked."""
    now = tx.clock.now()
    first = [(lane, (await tx.fetch(_NEXT, lane))[0]["due_at"]) for lane in range(LANES)]
    await wake(tx, [(lane, at) for lane, at in first if at is not None and at <= now])


async def _hold_back(
    tx: Tx, rows: Sequence[Mapping[str, Any]], now: datetime
) -> list[Mapping[str, Any]]:
    """Hold runs whose programme is paused, and those that come too late; return the others."""
    grace = timedelta(hours=tx.settings(CampaignSettings).programme_grace_hours)
    ids = sorted({row["programme_id"] for row in rows})
    states = {row["id"]: row["state"] for row in await tx.fetch(_STATES, ids)}
    held, going = [], []
    for row in rows:
        if states[row["programme_id"]] == ProgrammeState.PAUSED:
            held.append((row["id"], "paused"))
        elif now - row["due_at"] > grace:
            held.append((row["id"], "late"))
        else:
            going.append(row)
    if held:
        await tx.fetch(_HOLD, [id_ for id_, _ in held], [because for _, because in held], now)
    return going


async def _look_around(
    tx: Tx, rows: Sequence[Mapping[str, Any]], plans: Iterable[Plan], now: datetime
) -> World:
    """Read what the runs of a batch may ask, each kind in one statement."""
    people = sorted({row["person_id"] for row in rows})
    segments, products, dates = set[UUID](), set[UUID](), set[str]()
    for plan in plans:
        segments |= plan.segments
        products |= plan.products
        dates |= plan.dates
    zones = await tx.fetch(_ZONES, people)
    members = await tx.fetch(_MEMBERS, people, sorted(segments)) if segments else []
    known = await tx.fetch(_DATES, people, sorted(dates)) if dates else []
    needs = await tx.fetch(_NEEDS, people, now) if products else []
    for_sale = await tx.fetch(_FOR_SALE, sorted(products)) if products else []
    return World(
        now=now,
        zones={row["person_id"]: row["zone"] for row in zones},
        members=frozenset((row["segment_id"], row["person_id"]) for row in members),
        dates={(row["person_id"], row["name"], row["key"]): row["on_date"] for row in known},
        needs=frozenset((row["person_id"], row["term"]) for row in needs),
        for_sale=frozenset(row["product_id"] for row in for_sale),
    )


def _walker(row: Mapping[str, Any]) -> Walker:
    return Walker(
        id=row["id"],
        person_id=row["person_id"],
        key=row["key"],
        step=row["step"],
        number=row["number"],
        is_inside=row["is_inside"],
        woken_by=row["woken_by"],
        heard=loaded(row["heard"]),
        facts=loaded(row["facts"]),
        goals=list(row["goals"]),
        passes=loaded(row["passes"]),
    )


async def _write(tx: Tx, moved: Sequence[_Moved], now: datetime) -> None:
    if not moved:
        return
    runs = [one.run for one in moved]
    await tx.fetch(
        _WRITE,
        [run.id for run in runs],
        [run.step for run in runs],
        [run.number for run in runs],
        [run.is_inside for run in runs],
        [run.due_at for run in runs],
        [",".join(run.waits_for) for run in runs],
        [run.own_key for run in runs],
        [orjson.dumps(run.facts).decode() for run in runs],
        [orjson.dumps(run.passes).decode() for run in runs],
        [",".join(run.goals) for run in runs],
        [run.outcome for run in runs],
        now,
        [run.has_ended for run in runs],
    )
    visits = [
        (
            one.run.id,
            steps[-1].number,
            [f"{step.name} {step.kind} {step.way}" for step in steps],
            now,
        )
        for one in moved
        if (steps := one.walk.steps)
    ]
    await tx.copy("programme_visit", _VISIT, visits)


__all__ = ["BATCH", "look", "step_due"]
