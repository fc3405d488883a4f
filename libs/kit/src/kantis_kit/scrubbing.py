"""What is in transit when somebody's data is deleted is emptied.

Messages that wait or are parked, events that have not left, and stored answers still carry what was true before: their
personal fields are emptied, and the messages themselves stay, because others stand in them too.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import TextClause, text

from kantis_kit.parked import decode, encode
from kantis_kit.tx import ReadTx, Tx

Blanks = Mapping[str, Mapping[str, Any]]
"""Type of event → personal field of its items → what is left of it."""

FEW = 8
"""So many ids are looked for one after the other: each takes 0.2 s in 68 MB, and one look at every id in them 2 s."""
PAGE = 100
"""Rows that are held in memory at a time; each may be as large as an event."""
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KNOWN = text("SELECT id FROM forgotten WHERE id = ANY(cast(:ids AS uuid[]))")
_LATELY = text(
    """
    SELECT queue, event_id, envelope FROM delivery
    WHERE first_at > :since AND type = ANY(cast(:types AS text[])) ORDER BY first_at DESC LIMIT :limit
    """
)
_WAITING_ONE = text(
    "SELECT envelope FROM delivery WHERE queue = :queue AND event_id = :event_id FOR UPDATE"
)
_EMPTY_WAITING = text(
    "UPDATE delivery SET envelope = :envelope, problem = '' WHERE queue = :queue AND event_id = :event_id"
)
_DROP_WAITING = text("DELETE FROM delivery WHERE queue = :queue AND event_id = :event_id")
_LEAVING_ONE = text("SELECT type, data FROM outbox WHERE seq = :seq FOR UPDATE")
_EMPTY_LEAVING = text("UPDATE outbox SET data = :data WHERE seq = :seq")
_EMPTY_ANSWER = text(
    r"""
    UPDATE idempotency SET body = '\x', headers = headers - 'content-length'
    WHERE caller = :caller AND route = :route AND key = :key
    """
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Rows in which ids stand within a text: how they are searched for few ids, and how they are paged through."""

    search: TextClause
    page: TextClause
    first: Mapping[str, Any]
    """Before the key of the first row."""


def _place(table: str, column: str, *, first: Mapping[str, Any], where: str) -> _Place:
    keys = ", ".join(first)
    rows = f"FROM {table} WHERE {where}"
    naming = f"(SELECT FROM unnest(cast(:names AS bytea[])) AS n (name) WHERE position(n.name IN {column}) > 0)"
    after = f"({keys}) > ({', '.join(f':{key}' for key in first)})"
    return _Place(  # constants of this module alone
        text(f"SELECT {keys} {rows} AND EXISTS {naming} ORDER BY {keys}"),
        text(f"SELECT {keys}, {column} {rows} AND {after} ORDER BY {keys} LIMIT :page"),
        first,
    )


_WAITING = _place(
    "delivery", "envelope", first={"queue": "", "event_id": UUID(int=0)}, where="true"
)
_LEAVING = _place("outbox", "data", first={"seq": 0}, where="type = ANY(cast(:types AS text[]))")
_ANSWERS = _place(
    "idempotency",
    "body",
    first={"caller": "", "route": "", "key": ""},
    where="body IS NOT NULL",
)


async def _find_naming(
    tx: ReadTx, place: _Place, names: Set[bytes], **asked: Any
) -> list[dict[str, Any]]:
    """Return the keys of the rows that name one of these, in their order."""
    if len(names) <= FEW:
        found = await tx.execute(place.search, {"names": sorted(names), **asked})
        return [dict(zip(place.first, row, strict=True)) for row in found]
    naming: list[dict[str, Any]] = []
    key: Mapping[str, Any] | None = place.first
    while key is not None:
        rows = (await tx.execute(place.page, {**asked, **key, "page": PAGE})).all()
        key = None
        for row in rows:
            key = dict(zip(place.first, row[:-1], strict=True))
            if not names.isdisjoint(_ID.findall(row[-1])):
                naming.append(key)
    return naming


async def find_forgotten(tx: ReadTx, ids: Collection[UUID]) -> set[UUID]:
    """Return which of these ids are forgotten."""
    return set(await tx.scalars(_KNOWN, {"ids": list(ids)})) if ids else set()


async def scrub(tx: Tx, ids: Collection[UUID], blanks: Blanks) -> dict[str, int]:
    """Empty what waits in transit and names these ids; return how many rows of which kind that were.

    A message that cannot be read is deleted: nobody can say what of it may stay.
    """
    if not ids:
        return {}
    names = {str(id_).encode() for id_ in ids}
    counted: Counter[str] = Counter()
    for key in await _find_naming(tx, _WAITING, names):
        counted["message_waiting"] += await _empty_waiting(tx, key, names, blanks)
    for key in await _find_naming(tx, _LEAVING, names, types=sorted(blanks)):
        row = (await tx.execute(_LEAVING_ONE, key)).first()
        data = None if row is None else _blank(row.type, bytes(row.data), names, blanks)
        if data is not None:
            await tx.execute(_EMPTY_LEAVING, {**key, "data": data})
            counted["message_leaving"] += 1
    for key in await _find_naming(tx, _ANSWERS, names):
        await tx.execute(_EMPTY_ANSWER, key)
        counted["answer"] += 1
    return {kind: rows for kind, rows in sorted(counted.items()) if rows}


async def _empty_waiting(tx: Tx, key: Mapping[str, Any], names: Set[bytes], blanks: Blanks) -> bool:
    raw = await tx.scalar(_WAITING_ONE, key)
    if raw is None:  # done with meanwhile
        return False
    envelope = decode(bytes(raw))
    if envelope is None:
        await tx.execute(_DROP_WAITING, key)
        return True
    data = _blank(envelope.type, envelope.data, names, blanks)
    if data is None:
        return False
    emptied = encode(envelope.model_copy(update={"data": data}))
    await tx.execute(_EMPTY_WAITING, {**key, "envelope": emptied})
    return True


async def scrub_late(tx: Tx, blanks: Blanks, *, since: datetime, limit: int = 1_000) -> None:
    """Empty the newest of what has come to wait since, where it names somebody who was forgotten before."""
    asked = {"since": since, "types": sorted(blanks), "limit": limit}
    waiting = [
        ({"queue": row.queue, "event_id": row.event_id}, set(_ID.findall(row.envelope)))
        for row in await tx.execute(_LATELY, asked)
    ]
    ids = {UUID(name.decode()) for _, named in waiting for name in named}
    names = {str(id_).encode() for id_ in await find_forgotten(tx, ids)}
    for key, named in waiting:
        if not names.isdisjoint(named):
            await _empty_waiting(tx, key, names, blanks)


def _blank(kind: str, data: bytes, names: Set[bytes], blanks: Blanks) -> bytes | None:
    """Return the payload with the personal fields of items that name them emptied; None when nothing changes."""
    fields = blanks.get(kind)
    if not fields:
        return None
    loaded = orjson.loads(data)
    changed = False
    for item in loaded["items"]:
        if not names.isdisjoint(_ID.findall(orjson.dumps(item))):
            said = {name: value for name, value in fields.items() if item.get(name, value) != value}
            item.update(said)
            changed = changed or bool(said)
    return orjson.dumps(loaded) if changed else None
