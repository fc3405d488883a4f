"""A log of privileged changes in which no row can be altered or removed without notice.

Each row's hash covers its content and the hash before it; `verify` walks the chain. That the newest rows were cut off
shows only against an earlier `head`: it is told to operators, who keep it elsewhere.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('kantis.audit'))")
_LAST = text("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
_INSERT = text(
    """
    INSERT INTO audit (seq, at, actor, action, subject, detail, correlation_id, previous, hash)
    VALUES (:seq, :at, :actor, :action, :subject, cast(:detail AS jsonb), :correlation_id, :previous, :hash)
    """
)
_PART = """
SELECT seq, at, actor, action, subject, detail, correlation_id, previous, hash FROM audit
WHERE seq > $1 ORDER BY seq LIMIT $2
"""
PART = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One privileged change, not yet chained."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    correlation_id: UUID | None


async def append(session: AsyncSession, entries: list[Entry]) -> None:
    """Chain the entries in the running transaction; writers of the log wait for each other."""
    await session.execute(_LOCK)
    row = (await session.execute(_LAST)).first()
    seq, previous = (row.seq, row.hash) if row else (0, b"")
    for entry in entries:
        seq += 1
        digest = _digest(seq, entry, previous)
        await session.execute(
            _INSERT,
            {
                "seq": seq,
                "at": entry.at,
                "actor": entry.actor,
                "action": entry.action,
                "subject": entry.subject,
                "detail": orjson.dumps(entry.detail, default=str).decode(),
                "correlation_id": entry.correlation_id,
                "previous": previous,
                "hash": digest,
            },
        )
        previous = digest


async def verify(connection: Any) -> list[int]:
    """Return the numbers of the rows that do not fit their chain; empty when the log is whole."""
    broken: list[int] = []
    previous, last = b"", 0
    # Part by part: the log of years is not held in memory.
    while rows := await connection.fetch(_PART, last, PART):
        for row in rows:
            if not _fits(row, previous, last):
                broken.append(row["seq"])
            previous, last = row["hash"], row["seq"]
    return broken


async def head(connection: Any) -> tuple[int, str]:
    """Return the number and the hash of the newest row."""
    row = await connection.fetchrow("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    return (row["seq"], row["hash"].hex()) if row else (0, "")


def _fits(row: Any, previous: bytes, last: int) -> bool:
    entry = Entry(
        at=row["at"],
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        detail=orjson.loads(row["detail"]),
        correlation_id=row["correlation_id"],
    )
    return bool(
        row["seq"] == last + 1
        and row["previous"] == previous
        and row["hash"] == _digest(row["seq"], entry, previous)
    )


def _digest(seq: int, entry: Entry, previous: bytes) -> bytes:
    content = orjson.dumps(
        [
            seq,
            int(entry.at.timestamp() * 1_000_000),
            entry.actor,
            entry.action,
            entry.subject,
            orjson.loads(orjson.dumps(entry.detail, default=str)),
            str(entry.correlation_id or ""),
        ],
        option=orjson.OPT_SORT_KEYS,
    )
    return hashlib.sha256(previous + content).digest()
