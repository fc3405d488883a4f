"""The row of a long transaction, and the only statements that change one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx


@dataclass(frozen=True, slots=True)
class Saga:
    """A long transaction as it stands; `step` is the one that waits for its reply, or is undone next."""

    id: UUID
    kind: str
    key: str
    state: str
    step: str
    attempts: int
    deadline_at: datetime
    data: dict[str, Any]
    problem: str
    started_at: datetime
    changed_at: datetime


async def insert(
    tx: Tx, kind: str, key: str, *, step: str, deadline: datetime, data: Mapping[str, Any] | None
) -> Saga | None:
    """Write a new saga; None when (kind, key) was begun already."""
    values = {
        "id": new_id(),
        "kind": kind,
        "key": key,
        "step": step,
        "deadline": deadline,
        "data": _dump(data),
        "now": tx.clock.now(),
    }
    row = (await tx.execute(_START, values)).first()
    return _saga(row) if row else None


async def take(tx: Tx, ids: Sequence[UUID]) -> list[Saga]:
    """Lock and return these sagas, without those that another transaction is moving."""
    return [_saga(row) for row in await tx.execute(_TAKE, {"ids": list(ids)})]


async def find(tx: ReadTx, kind: str, key: str) -> Saga | None:
    """Return the saga (kind, key), or None."""
    row = (await tx.execute(_FIND, {"kind": kind, "key": key})).first()
    return _saga(row) if row else None


async def list_stuck(
    tx: ReadTx, limit: int = 100, *, after: tuple[datetime, UUID] | None = None
) -> list[Saga]:
    """Return the sagas whose compensation failed too often, the longest stuck first: they wait for a person."""
    moment, id_ = after or (None, None)
    rows = await tx.execute(_STUCK, {"limit": limit, "moment": moment, "id": id_})
    return [_saga(row) for row in rows]


async def count_open(tx: ReadTx) -> dict[tuple[str, str], int]:
    """Return how many sagas have not ended, by kind and state."""
    return {(row.kind, row.state): row.sagas for row in await tx.execute(_OPEN)}


async def wait_again(tx: Tx, saga: Saga) -> None:
    """Note one more failure; the saga stays where it is."""
    await tx.execute(_FAILED, {"id": saga.id, "now": tx.clock.now()})


async def unstick(tx: Tx, ids: Sequence[UUID] | None) -> list[UUID]:
    """Let stuck sagas compensate again, with all their attempts; all of them when no ids are given."""
    wanted = None if ids is None else list(ids)
    return list(await tx.scalars(_UNSTICK, {"ids": wanted, "now": tx.clock.now()}))


async def move(
    tx: Tx,
    saga: Saga,
    *,
    state: str | None = None,
    step: str | None = None,
    deadline: datetime | None = None,
    data: Mapping[str, Any] | None = None,
    problem: str | None = None,
    attempts: int = 0,
) -> Saga | None:
    """Move a saga that still stands where it was read; None when another process was first."""
    values = {
        "id": saga.id,
        "from_step": saga.step,
        "from_state": saga.state,
        "state": state or saga.state,
        "step": step or saga.step,
        "deadline": deadline or saga.deadline_at,
        "data": _dump(data),
        "problem": saga.problem if problem is None else problem[:2000],
        "attempts": attempts,
        "now": tx.clock.now(),
    }
    row = (await tx.execute(_MOVE, values)).first()
    return _saga(row) if row else None


def _dump(data: Mapping[str, Any] | None) -> str:
    return orjson.dumps(dict(data or {}), default=str).decode()


def _saga(row: Any) -> Saga:
    values = dict(row._mapping)  # noqa: SLF001 - the documented way to read a row's columns by name
    if isinstance(values["data"], str | bytes):
        values["data"] = orjson.loads(values["data"])
    return Saga(**values)


_TAKE = text(
    "SELECT * FROM saga WHERE id = ANY(cast(:ids AS uuid[])) ORDER BY id FOR UPDATE SKIP LOCKED"
)
_FIND = text("SELECT * FROM saga WHERE kind = :kind AND key = :key")
_STUCK = text(
    """
    SELECT * FROM saga WHERE state = 'stuck'
      AND (cast(:moment AS timestamptz) IS NULL
           OR (changed_at, id) > (cast(:moment AS timestamptz), cast(:id AS uuid)))
    ORDER BY changed_at, id LIMIT :limit
    """
)
_OPEN = text(
    """
    SELECT kind, state, count(*) AS sagas FROM saga
    WHERE state IN ('running', 'compensating', 'stuck') GROUP BY kind, state
    """
)
_START = text(
    """
    INSERT INTO saga (id, kind, key, state, step, deadline_at, data, started_at, changed_at)
    VALUES (:id, :kind, :key, 'running', :step, :deadline, cast(:data AS jsonb), :now, :now)
    ON CONFLICT (kind, key) DO NOTHING RETURNING *
    """
)
_MOVE = text(
    """
    UPDATE saga SET state = :state, step = :step, attempts = :attempts, deadline_at = :deadline,
        data = data || cast(:data AS jsonb), problem = :problem, changed_at = :now
    WHERE id = :id AND step = :from_step AND state = :from_state RETURNING *
    """
)
_FAILED = text(
    """
    UPDATE saga SET attempts = attempts + 1, changed_at = :now
    WHERE id = :id AND state IN ('running', 'compensating')
    """
)
_UNSTICK = text(
    """
    UPDATE saga SET state = 'compensating', attempts = 0, changed_at = :now
    WHERE state = 'stuck' AND (cast(:ids AS uuid[]) IS NULL OR id = ANY(cast(:ids AS uuid[])))
    RETURNING id
    """
)
