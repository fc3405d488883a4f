"""Messages that wait for another attempt or for a person: rows in the service's own database.

Nothing is lost by parking: the row holds the whole envelope, is listed by the API and `kantis parked`, and is replayed
through the same handler with the same inbox, so a replay has its effect once. What nobody replays for half a year is
forgotten, because it may hold personal data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError
from sqlalchemy import text

from kantis_contracts.base import Envelope
from kantis_kit.tx import Scope, Tx

# A row that is being tried is invisible for a while; a process that died with it leaves it to be tried again.
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Row:
    """A message that is not done with."""

    queue: str
    event_id: UUID
    state: str
    type: str
    envelope: Envelope | None
    raw: bytes
    handler: str
    attempts: int
    reason: str
    problem: str
    first_at: datetime
    last_at: datetime


def encode(envelope: Envelope) -> bytes:
    """Write an envelope as CloudEvents JSON (structured mode, payload as text)."""
    content = envelope.model_dump(mode="json", exclude={"data"})
    content["data"] = envelope.data.decode("utf-8", errors="replace")
    return orjson.dumps(content)


def decode(content: bytes) -> Envelope | None:
    """Read what `encode` wrote; None when it is something else."""
    try:
        loaded = orjson.loads(content)
        loaded["data"] = loaded["data"].encode()
        return Envelope.model_validate(loaded)
    except (orjson.JSONDecodeError, ValidationError, KeyError, TypeError, AttributeError):
        return None


def _row(record: Any) -> Row:
    return Row(
        queue=record["queue"],
        event_id=record["event_id"],
        state=record["state"],
        type=record["type"],
        envelope=decode(record["envelope"]),
        raw=record["envelope"],
        handler=record["handler"],
        attempts=record["attempts"],
        reason=record["reason"],
        problem=record["problem"],
        first_at=record["first_at"],
        last_at=record["last_at"],
    )


_BEGIN = """
INSERT INTO delivery (queue, event_id, state, type, envelope, handler, attempts, first_at, last_at)
VALUES ($1, $2, 'trying', $3, $4, $5, 1, $6, $6)
ON CONFLICT (queue, event_id) DO UPDATE SET attempts = delivery.attempts + 1, last_at = excluded.last_at
RETURNING attempts, state
"""
_FAIL = """
INSERT INTO delivery (queue, event_id, state, type, envelope, handler, attempts, next_at, problem, first_at, last_at)
VALUES ($1, $2, 'waiting', $3, $4, $5, 1, $6, $7, $8, $8)
ON CONFLICT (queue, event_id) DO UPDATE SET
    attempts = delivery.attempts + CASE delivery.state WHEN 'trying' THEN 0 ELSE 1 END,
    state = 'waiting', next_at = excluded.next_at, problem = excluded.problem, handler = excluded.handler,
    last_at = excluded.last_at
RETURNING attempts
"""
_PARK = """
UPDATE delivery SET state = 'parked', next_at = NULL, reason = $3, last_at = $4 WHERE queue = $1 AND event_id = $2
"""
_REPLAY = text(
    """
    UPDATE delivery SET state = 'waiting', attempts = 0, next_at = :now, reason = ''
    WHERE state = 'parked' AND (cast(:queues AS text[]) IS NULL OR (queue, event_id) IN (
        SELECT queue, event_id
        FROM unnest(cast(:queues AS text[]), cast(:ids AS uuid[])) AS wanted (queue, event_id)))
    RETURNING queue, event_id
    """
)
_FORGET = text(
    "DELETE FROM delivery WHERE state = 'parked' AND last_at < :before RETURNING queue, event_id, type"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a queue could not handle at once; `oldest_at` is when the first of it came."""

    again: int = 0
    parked: int = 0
    oldest_at: datetime | None = None


class Waiting:
    """The rows that count attempts and wait for the next one."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def begin(self, queue: str, envelope: Envelope, handler: str) -> int:
        """Count an attempt before it is made; return its number."""
        pool = await self._scope.database.pool()
        record = await pool.fetchrow(
            _BEGIN,
            queue,
            envelope.id,
            envelope.type,
            encode(envelope),
            handler,
            self._scope.clock.now(),
        )
        return int(record["attempts"])

    async def fail(
        self,
        queue: str,
        envelope: Envelope,
        handler: str,
        *,
        problem: str,
        pause: Callable[[int], timedelta],
        max_attempts: int,
    ) -> bool:
        """Record a failed attempt; say whether that was the last one and the message is parked now."""
        pool = await self._scope.database.pool()
        now = self._scope.clock.now()
        attempts = int(
            await pool.fetchval(
                _FAIL,
                queue,
                envelope.id,
                envelope.type,
                encode(envelope),
                handler,
                now + LEASE,
                problem,
                now,
            )
        )
        if attempts >= max_attempts:
            await pool.execute(_PARK, queue, envelope.id, f"failed {attempts} times", now)
            return True
        await pool.execute(
            "UPDATE delivery SET next_at = $3 WHERE queue = $1 AND event_id = $2",
            queue,
            envelope.id,
            now + pause(attempts),
        )
        return False

    async def park(self, queue: str, envelope: Envelope, handler: str, *, reason: str) -> None:
        """Set a message aside for a person."""
        pool = await self._scope.database.pool()
        await pool.execute(_PARK, queue, envelope.id, reason, self._scope.clock.now())

    async def forget(self, queue: str, event_id: UUID) -> None:
        """Forget a message whose effect is committed."""
        pool = await self._scope.database.pool()
        await pool.execute(
            "DELETE FROM delivery WHERE queue = $1 AND event_id = $2", queue, event_id
        )

    async def claim(self, limit: int) -> list[Row]:
        """Take the rows that are due, hiding them from others for the length of the lease."""
        pool = await self._scope.database.pool()
        now = self._scope.clock.now()
        records = await pool.fetch(
            """
            UPDATE delivery SET next_at = $2 FROM (
                SELECT queue, event_id FROM delivery WHERE state = 'waiting' AND next_at <= $1
                ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED
            ) AS due
            WHERE delivery.queue = due.queue AND delivery.event_id = due.event_id RETURNING delivery.*
            """,
            now,
            now + LEASE,
            limit,
        )
        return [_row(record) for record in records]


async def replay(tx: Tx, keys: Sequence[tuple[str, UUID]] | None = None) -> int:
    """Let parked messages be tried again from attempt one; all of them when no keys are given.

    Each is named in the audit log, with this transaction.
    """
    parameters = {
        "now": tx.clock.now(),
        "queues": None if keys is None else [queue for queue, _ in keys],
        "ids": None if keys is None else [event_id for _, event_id in keys],
    }
    freed = (await tx.execute(_REPLAY, parameters)).all()
    for row in freed:
        tx.audit("parked.replay", str(row.event_id), queue=row.queue)
    return len(freed)


async def forget(tx: Tx, *, before: datetime) -> int:
    """Delete parked messages that nobody has touched since; each is named in the audit log, without its content."""
    gone = (await tx.execute(_FORGET, {"before": before})).all()
    for row in gone:
        tx.audit("parked.forgotten", str(row.event_id), queue=row.queue, type=row.type)
    return len(gone)


class Parked:
    """What waits for a person."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def list(
        self, *, after: tuple[datetime, UUID] | None = None, limit: int = 100
    ) -> list[Row]:
        """Return parked messages, the newest first."""
        pool = await self._scope.database.pool()
        records = await pool.fetch(
            """
            SELECT * FROM delivery WHERE state = 'parked'
              AND ($1::timestamptz IS NULL OR (last_at, event_id) < ($1, $2))
            ORDER BY last_at DESC, event_id DESC LIMIT $3
            """,
            after[0] if after else None,
            after[1] if after else None,
            limit,
        )
        return [_row(record) for record in records]

    async def get(self, queue: str, event_id: UUID) -> Row | None:
        """Return one parked message, or None."""
        pool = await self._scope.database.pool()
        record = await pool.fetchrow(
            "SELECT * FROM delivery WHERE queue = $1 AND event_id = $2 AND state = 'parked'",
            queue,
            event_id,
        )
        return _row(record) if record else None

    async def find(self, event_id: UUID) -> Sequence[Row]:
        """Return one event as it is parked, once per queue that could not handle it."""
        pool = await self._scope.database.pool()
        records = await pool.fetch(
            "SELECT * FROM delivery WHERE event_id = $1 AND state = 'parked' ORDER BY queue",
            event_id,
        )
        return [_row(record) for record in records]

    async def park(self, queue: str, event_id: UUID, reason: str) -> None:
        """Set a waiting row aside for a person."""
        pool = await self._scope.database.pool()
        await pool.execute(_PARK, queue, event_id, reason, self._scope.clock.now())

    async def count(self) -> int:
        """Return how many messages are parked."""
        pool = await self._scope.database.pool()
        return int(await pool.fetchval("SELECT count(*) FROM delivery WHERE state = 'parked'"))

    async def by_queue(self) -> dict[str, Standing]:
        """Return of each queue that has any what waits for another attempt and what is parked."""
        pool = await self._scope.database.pool()
        records = await pool.fetch(
            """
            SELECT queue, count(*) FILTER (WHERE state <> 'parked') AS again,
                   count(*) FILTER (WHERE state = 'parked') AS parked, min(first_at) AS oldest_at
            FROM delivery GROUP BY queue
            """
        )
        return {
            one["queue"]: Standing(one["again"], one["parked"], one["oldest_at"]) for one in records
        }

    async def add_unreadable(
        self, queue: str, envelope: Envelope | None, raw: bytes, reason: str, *, fallback_id: UUID
    ) -> None:
        """Set aside what cannot be handled by any attempt; the same event twice makes one row."""
        pool = await self._scope.database.pool()
        now = self._scope.clock.now()
        await pool.execute(
            """
            INSERT INTO delivery (queue, event_id, state, type, envelope, attempts, reason, first_at, last_at)
            VALUES ($1, $2, 'parked', $3, $4, 1, $5, $6, $6)
            ON CONFLICT (queue, event_id) DO UPDATE SET last_at = excluded.last_at
            """,
            queue,
            envelope.id if envelope else fallback_id,
            envelope.type if envelope else "",
            encode(envelope) if envelope else raw,
            reason[:2000],
            now,
        )
