"""Dates of people: they begin programmes at their moment, and move waits that look at them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from campaign_svc.programmes.model import lane_of
from campaign_svc.programmes.moments import moment_of
from campaign_svc.programmes.occurrences import Occurrence
from campaign_svc.programmes.plans import Plan, plans_of
from campaign_svc.programmes.schemas.api import PersonDateIn
from campaign_svc.programmes.schemas.graph import DateTrigger
from campaign_svc.programmes.usecases.hearing import take
from campaign_svc.programmes.usecases.starting import Start, start_runs, wake
from campaign_svc.programmes.ways import date_event
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

TIMER = "programme.dates"
_BEGINNING = UUID(int=0)
PART = 1_000
_FORGET = """
    DELETE FROM person_date d USING unnest($1::uuid[], $2::text[], $3::text[]) AS n (person_id, name, key)
    WHERE coalesce(d.merged_id, d.person_id) = n.person_id AND d.name = n.name AND d.key = n.key
"""
_KEEP = """
    INSERT INTO person_date (id, person_id, merged_id, name, key, on_date, set_at)
    SELECT n.id, coalesce(a.known_id, n.person_id), a.merged_id, n.name, n.key, n.on_date, $6
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::date[]) AS n (id, person_id, name, key, on_date)
    LEFT JOIN person_alias a ON a.merged_id = n.person_id AND a.known_id IS NOT NULL
    ON CONFLICT (coalesce(merged_id, person_id), name, key) DO UPDATE
      SET on_date = excluded.on_date, set_at = excluded.set_at
"""
_LIVE = """
    SELECT p.id, p.live_version FROM programme p
    JOIN programme_version v ON v.programme_id = p.id AND v.version = p.live_version
    WHERE p.state IN ('live', 'paused') AND v.trigger_on = 'date' AND v.trigger_name = ANY($1::text[])
"""
_ONE = "SELECT id, live_version FROM programme WHERE id = $1"
_STORED = """
    SELECT d.id, d.person_id, d.key, d.on_date, coalesce(z.zone, '') AS zone FROM person_date d
    LEFT JOIN person_zone z USING (person_id)
    WHERE d.name = $1 AND d.id > $2 ORDER BY d.id LIMIT $3
"""
_OF_PEOPLE = """
    SELECT d.person_id, d.name, d.key, d.on_date, coalesce(z.zone, '') AS zone FROM person_date d
    LEFT JOIN person_zone z USING (person_id)
    WHERE coalesce(d.merged_id, d.person_id) = ANY($1::uuid[]) AND d.name = ANY($2::text[])
"""
_UNBEGUN = """
    UPDATE programme_run r SET due_at = n.due_at
    FROM unnest($3::uuid[], $4::text[], $5::timestamptz[]) AS n (person_id, key, due_at)
    WHERE r.programme_id = $1 AND r.version = $2 AND r.person_id = n.person_id AND r.key = n.key
      AND r.state = 'active' AND r.number = 0 AND r.due_at <> n.due_at
    RETURNING r.id, r.due_at
"""
_DROPPED = """
    DELETE FROM programme_run r USING unnest($2::uuid[], $3::text[]) AS n (person_id, key)
    WHERE r.programme_id = $1 AND r.person_id = n.person_id AND r.key = n.key AND r.number = 0
"""


async def set_dates(tx: Tx, items: Sequence[PersonDateIn]) -> None:
    """Keep dates of people. A run that a date has not begun yet begins at the new moment, or not at all."""
    once = {(one.person_id, one.name, one.key): one for one in items}
    newest = [once[key] for key in sorted(once)]
    gone = [one for one in newest if one.on is None]
    kept = [one for one in newest if one.on is not None]
    await tx.fetch(_FORGET, *_keys(gone))
    await tx.fetch(
        _KEEP, [new_id() for _ in kept], *_keys(kept), [one.on for one in kept], tx.clock.now()
    )
    names = sorted({one.name for one in newest})
    people = sorted({one.person_id for one in newest})
    for row in await tx.fetch(_LIVE, names):
        plan = await _plan_of(tx, row)
        known = await tx.fetch(_OF_PEOPLE, people, [_trigger(plan).date])
        await _begin(tx, row, plan, known)
        await tx.fetch(
            _DROPPED, row["id"], [one.person_id for one in gone], [_key(plan, one.key) for one in gone]
        )  # fmt: skip
    now = tx.clock.now()
    await take(
        tx, [Occurrence(date_event(one.name), one.person_id, now, one.key) for one in newest]
    )


async def begin_dates(tx: Tx, programme_id: UUID, after: UUID = _BEGINNING) -> None:
    """Begin a programme for everybody whose date is known, a part at a time; of another trigger nothing begins."""
    row = (await tx.fetch(_ONE, programme_id))[0]
    plan = await _plan_of(tx, row)
    if not isinstance(plan.graph.trigger, DateTrigger):
        return
    known = await tx.fetch(_STORED, plan.graph.trigger.date, after, PART)
    await _begin(tx, row, plan, known)
    if len(known) == PART:
        now, payload = tx.clock.now(), {"after": str(known[-1]["id"])}
        await tx.schedule(TIMER, str(programme_id), now, payload)


async def _begin(
    tx: Tx, row: Mapping[str, Any], plan: Plan, known: Sequence[Mapping[str, Any]]
) -> None:
    """Begin runs that wait for their moment; one whose moment has passed is not begun."""
    starts, now = [], tx.clock.now()
    for one in known:
        due_at = _moment(plan, one["on_date"], one["zone"])
        if due_at >= now:
            key, facts = _key(plan, one["key"]), {"trigger_key": one["key"]}
            starts.append(Start(one["person_id"], key, facts, due_at))
    if not starts:
        return
    version = (row["id"], row["live_version"])
    await start_runs(tx, version, starts)
    people, keys = [one.person_id for one in starts], [one.key for one in starts]
    later = await tx.fetch(_UNBEGUN, *version, people, keys, [one.due_at for one in starts])
    await wake(tx, [(lane_of(run["id"]), run["due_at"]) for run in later])


async def _plan_of(tx: Tx, row: Mapping[str, Any]) -> Plan:
    key = (row["id"], row["live_version"])
    return (await plans_of(tx, [key]))[key]


def _trigger(plan: Plan) -> DateTrigger:
    assert isinstance(plan.graph.trigger, DateTrigger)  # noqa: S101 - what the row was found by
    return plan.graph.trigger


def _moment(plan: Plan, on: date, zone: str) -> datetime:
    trigger = _trigger(plan)
    return moment_of(on, days=trigger.days, at=trigger.at, zone=zone)


def _key(plan: Plan, key: str) -> str:
    return "" if plan.graph.key == "person" else key


def _keys(items: Sequence[PersonDateIn]) -> tuple[list[UUID], list[str], list[str]]:
    people = [one.person_id for one in items]
    return people, [one.name for one in items], [one.key for one in items]
