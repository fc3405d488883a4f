"""People in flight are taken to the live version: with a preview, a part at a time, none of them twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from campaign_svc.programmes.errors import MoveIncomplete, VersionUnknown
from campaign_svc.programmes.model import Move, Programme
from campaign_svc.programmes.plans import Plan, plans_of
from campaign_svc.programmes.schemas.api import MoveIn, MovePreviewOut, StepMove
from campaign_svc.programmes.usecases.starting import wake
from campaign_svc.programmes.ways import awaited
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

TIMER = "programme.move"
PART = 5_000
_HERE = """
    SELECT step, count(*) AS runs FROM programme_run
    WHERE programme_id = $1 AND version = $2 AND ended_at IS NULL GROUP BY step ORDER BY step
"""
_MOVE = """
    UPDATE programme_run r
    SET version = $3, step = n.to_step, hears = $4, changed_at = $5,
        is_inside = r.is_inside AND NOT n.anew,
        waits_for = CASE WHEN n.anew OR r.waits_for = '{}' THEN '{}' ELSE string_to_array(n.waits_for, ',') END,
        due_at = CASE WHEN n.anew AND r.state = 'active' THEN $5 ELSE r.due_at END
    FROM unnest($6::text[], $7::text[], $8::bool[], $9::text[]) AS n (step, to_step, anew, waits_for)
    WHERE r.step = n.step AND r.id IN (
        SELECT id FROM programme_run
        WHERE programme_id = $1 AND version = $2 AND ended_at IS NULL AND step = ANY($6::text[])
        ORDER BY id LIMIT $10 FOR UPDATE)
    RETURNING r.lane, r.due_at, n.anew
"""


@dataclass(frozen=True, slots=True)
class _Way:
    """Where the runs of a step go, and whether they begin the step there."""

    to: str
    begins_anew: bool


async def preview_move(tx: Tx, programme: Programme, body: MoveIn) -> MovePreviewOut:
    """Say what a move of a locked programme would do.

    Raises:
        VersionUnknown: the version was never published, or is the live one.
        MoveIncomplete: somebody stands at a step that the live version does not have.
    """
    old, new = await _plans(tx, programme, body.from_version)
    here = await tx.fetch(_HERE, programme.id, body.from_version)
    ways = _ways(old, new, body.steps)
    lost = [row for row in here if row["step"] not in ways]
    if lost:
        told = ", ".join(f"{row['step']} ({row['runs']})" for row in lost)
        raise MoveIncomplete(
            f"steps: say where these go, which version {programme.live_version} does not have: {told}",
            errors=[
                {
                    "in": "body",
                    "field": f"steps.{row['step']}",
                    "message": f"{row['runs']} runs stand here",
                }
                for row in lost
            ],
        )
    moves = [
        StepMove(
            step=row["step"],
            to=ways[row["step"]].to,
            runs=row["runs"],
            begins_anew=ways[row["step"]].begins_anew,
        )
        for row in here
    ]
    return MovePreviewOut(
        from_version=body.from_version,
        to_version=programme.live_version or 0,
        runs=sum(one.runs for one in moves),
        steps=moves,
    )


async def move_runs(tx: Tx, programme: Programme, body: MoveIn) -> MovePreviewOut:
    """Move everybody in a version to the live one. Raises as `preview_move`."""
    told = await preview_move(tx, programme, body)
    move = Move(
        id=new_id(),
        programme_id=programme.id,
        from_version=body.from_version,
        to_version=told.to_version,
        steps=dict(body.steps),
        decided_by=tx.actor,
        decided_at=tx.clock.now(),
    )
    tx.add(move)
    await tx.schedule(TIMER, str(move.id), tx.clock.now())
    tx.audit("programme.move", str(programme.id), to=told.to_version, runs=told.runs)
    return told


async def move_part(tx: Tx, move_id: UUID) -> None:
    """Move the next part; the last one is not full."""
    move = await tx.get(Move, move_id)
    if move is None:
        return
    keys = [(move.programme_id, move.from_version), (move.programme_id, move.to_version)]
    plans = await plans_of(tx, keys)
    new = plans[keys[1]]
    ways = _ways(plans[keys[0]], new, move.steps)
    steps = sorted(ways)
    now = tx.clock.now()
    rows = await tx.fetch(
        _MOVE,
        move.programme_id,
        move.from_version,
        move.to_version,
        list(new.hears),
        now,
        steps,
        [ways[one].to for one in steps],
        [ways[one].begins_anew for one in steps],
        [",".join(awaited(new.graph.steps[ways[one].to])) for one in steps],
        PART,
    )
    move.moved += len(rows)
    await wake(tx, [(row["lane"], now) for row in rows if row["anew"]])
    if len(rows) == PART:
        await tx.schedule(TIMER, str(move_id), now)


async def _plans(tx: Tx, programme: Programme, from_version: int) -> tuple[Plan, Plan]:
    live = programme.live_version
    if live is None or not 0 < from_version < live:
        raise VersionUnknown(
            f"from_version: {from_version} is none that people could be moved from; version {live} is live"
        )
    plans = await plans_of(tx, [(programme.id, from_version), (programme.id, live)])
    return plans[programme.id, from_version], plans[programme.id, live]


def _ways(old: Plan, new: Plan, steps: Mapping[str, str]) -> dict[str, _Way]:
    """Return where each step of the old version leads in the new one; those that lead nowhere are left out."""
    found = {}
    for name, step in old.graph.steps.items():
        to = steps.get(name, name)
        if to in new.graph.steps:
            is_same = to == name and new.graph.steps[to].kind == step.kind
            found[name] = _Way(to, begins_anew=not is_same)
    return found
