"""What happens to people begins runs, wakes those that wait for it, and is remembered by those that look for it later."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.programmes.model import ToldEvent, lane_of
from campaign_svc.programmes.occurrences import Occurrence
from campaign_svc.programmes.plans import PlanKey, plans_of
from campaign_svc.programmes.usecases.starting import Start, start_runs, wake
from campaign_svc.programmes.ways import OWN
from kantis_kit.db import aliases
from kantis_kit.tx import Tx

_BEGUN_BY = """
    SELECT p.id, p.live_version, v.trigger_on, v.trigger_name
    FROM unnest($1::text[], $2::text[]) AS told (trigger_on, trigger_name)
    JOIN programme_version v USING (trigger_on, trigger_name)
    JOIN programme p ON p.id = v.programme_id AND p.live_version = v.version AND p.state IN ('live', 'paused')
    ORDER BY p.id
"""
_HEARING = """
    SELECT id, person_id, key, state, is_inside, waits_for, own_key, woken_by, hears, heard
    FROM programme_run
    WHERE person_id = ANY($1::uuid[]) AND ended_at IS NULL AND hears && $2::text[]
    ORDER BY id FOR UPDATE
"""
_HEARD = """
    UPDATE programme_run r
    SET heard = r.heard || n.heard, facts = r.facts || n.facts, changed_at = $5,
        woken_by = coalesce(n.woken_by, r.woken_by),
        waits_for = CASE WHEN n.woken_by IS NULL THEN r.waits_for ELSE '{}' END,
        due_at = CASE WHEN n.woken_by IS NULL OR r.state <> 'active' THEN r.due_at ELSE $5 END
    FROM unnest($1::uuid[], $2::jsonb[], $3::jsonb[], $4::text[]) AS n (id, heard, facts, woken_by)
    WHERE r.id = n.id
"""


async def take(tx: Tx, occurrences: Sequence[Occurrence]) -> None:
    """Let what happened begin runs, and reach those that run."""
    if not occurrences:  # a segment was looked at, and nobody came or left
        return
    await _begin(tx, occurrences)
    await _reach(tx, occurrences)


async def tell(tx: Tx, told: Sequence[tuple[UUID, Occurrence]]) -> int:
    """Take what was told through the API; what has the id of something told before is left out."""
    rows = [
        {"event_id": id_, "told_at": tx.clock.now()} for id_ in sorted({id_ for id_, _ in told})
    ]
    fresh = set(
        await tx.scalars(
            insert(ToldEvent)
            .values(rows)
            .on_conflict_do_nothing()
            .returning(col(ToldEvent.event_id))
        )
    )
    new: dict[UUID, Occurrence] = {id_: one for id_, one in told if id_ in fresh}
    await take(tx, list(new.values()))
    return len(new)


async def _begin(tx: Tx, occurrences: Sequence[Occurrence]) -> None:
    by_trigger: dict[tuple[str, str], list[Occurrence]] = defaultdict(list)
    for one in occurrences:
        for trigger in one.begins:
            by_trigger[trigger].append(one)
    if not by_trigger:
        return
    wanted = sorted(by_trigger)
    rows = await tx.fetch(_BEGUN_BY, [on for on, _ in wanted], [name for _, name in wanted])
    starters: dict[PlanKey, list[Occurrence]] = {
        (row["id"], row["live_version"]): by_trigger[row["trigger_on"], row["trigger_name"]]
        for row in rows
    }
    plans = await plans_of(tx, starters)
    for key, found in starters.items():
        is_keyed = plans[key].graph.key != "person"
        starts = [
            Start(one.person_id, one.key if is_keyed else "", {**one.facts, "trigger_key": one.key})
            for one in found
            if one.key or not is_keyed  # what names no order or contract begins no run of one
        ]
        if starts:
            await start_runs(tx, key, starts)


async def _reach(tx: Tx, occurrences: Sequence[Occurrence]) -> None:
    stands = await aliases.resolve(tx, person_alias, [one.person_id for one in occurrences])
    by_person: dict[UUID, list[Occurrence]] = defaultdict(list)
    for one in sorted(occurrences, key=lambda one: one.at):
        by_person[stands.get(one.person_id, one.person_id)].append(one)
    events = sorted({one.event for one in occurrences})
    runs = await tx.fetch(_HEARING, sorted(by_person), events)
    changes = [change for run in runs for change in _change(run, by_person[run["person_id"]])]
    if not changes:
        return
    now = tx.clock.now()
    await tx.fetch(_HEARD, *map(list, zip(*changes, strict=True)), now)
    await wake(tx, [(lane_of(id_), now) for id_, _, _, woken_by in changes if woken_by])


def _change(
    run: Mapping[str, Any], occurrences: Iterable[Occurrence]
) -> list[tuple[UUID, str, str, str | None]]:
    """Return what a run hears of what happened, and what it is woken by: the first thing that it waits for."""
    heard: dict[str, str] = {}
    facts: dict[str, Any] = {}
    woken_by: str | None = None
    for one in occurrences:
        if one.event not in run["hears"]:
            continue
        is_own = one.key == run["key"]
        at = one.at.astimezone(UTC).isoformat()
        heard.update({one.event: at, **({one.event + OWN: at} if is_own else {})})
        facts.update(one.facts)
        is_waited_for = run["is_inside"] and one.event in run["waits_for"]
        if is_waited_for and (is_own or not run["own_key"]):
            woken_by = woken_by or one.event
    if not heard:
        return []
    return [(run["id"], orjson.dumps(heard).decode(), orjson.dumps(facts).decode(), woken_by)]
