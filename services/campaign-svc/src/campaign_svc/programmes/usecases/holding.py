"""Runs that were held go on when a person says so, or end."""

from typing import Literal
from uuid import UUID

from campaign_svc.programmes.usecases.starting import wake
from kantis_kit.tx import Tx

TIMER = "programme.resume"
PART = 5_000
_GO_ON = """
    UPDATE programme_run SET state = 'active', held_because = '', due_at = $3, changed_at = $3
    WHERE id IN (SELECT id FROM programme_run WHERE programme_id = $1 AND state = 'held' AND held_because = $2
                 ORDER BY id LIMIT $4 FOR UPDATE)
    RETURNING lane, due_at
"""
_END = """
    UPDATE programme_run SET state = 'ended', held_because = '', outcome = 'late', ended_at = $2, changed_at = $2
    WHERE id IN (SELECT id FROM programme_run WHERE programme_id = $1 AND state = 'held' AND held_because = 'late'
                 ORDER BY id LIMIT $3 FOR UPDATE)
    RETURNING id
"""


async def release_paused(tx: Tx, programme_id: UUID) -> None:
    """Let runs go on whose programme was paused, a part at a time."""
    if await _go_on(tx, programme_id, "paused") == PART:
        await tx.schedule(TIMER, str(programme_id), tx.clock.now())


async def decide_late(tx: Tx, programme_id: UUID, decision: Literal["go_on", "end"]) -> int:
    """Let runs go on that came too late to go on by themselves, or end them; return how many, 5,000 at most."""
    if decision == "go_on":
        done = await _go_on(tx, programme_id, "late")
    else:
        done = len(await tx.fetch(_END, programme_id, tx.clock.now(), PART))
    tx.audit("programme.late", str(programme_id), decision=decision, runs=done)
    return done


async def _go_on(tx: Tx, programme_id: UUID, because: str) -> int:
    rows = await tx.fetch(_GO_ON, programme_id, because, tx.clock.now(), PART)
    await wake(tx, [(row["lane"], row["due_at"]) for row in rows])
    return len(rows)
