"""Everything that stands about somebody in tables, as JSON, in parts that travel."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.dialects.postgresql import JSONB

from kantis_kit.tx import ReadTx

MOST_ROWS = 10_000
"""Of one kind; that there are more is told."""
PART_BYTES = 96 * 1024
"""A part, written as text within JSON once more, stays below the bounds of an event."""
LEFT_OFF = "left_off"

Rows = list[dict[str, Any]]


async def rows_of(
    tx: ReadTx, table: Table, where: ColumnElement[bool], *, without: Sequence[str] = ()
) -> Rows:
    """Return rows as objects, in the order of their keys, one more than `MOST_ROWS` at most."""
    whole = func.to_jsonb(table.table_valued(), type_=JSONB())
    found = await tx.scalars(
        select(whole).where(where).order_by(*table.primary_key.columns).limit(MOST_ROWS + 1)
    )
    return [{name: value for name, value in row.items() if name not in without} for row in found]


def cut(found: Mapping[str, Rows]) -> list[str]:
    """Return the rows as JSON objects (kind → rows) of a bounded size; at least one, which may be empty.

    Kinds of which rows were left off stand under `left_off` in the first.
    """
    left_off = sorted(kind for kind, rows in found.items() if len(rows) > MOST_ROWS)
    part: dict[str, Any] = {LEFT_OFF: left_off} if left_off else {}
    parts, size = [part], 0
    for kind, rows in sorted(found.items()):
        for row in rows[:MOST_ROWS]:
            length = len(orjson.dumps(row))
            if size and size + length > PART_BYTES:
                part, size = {}, 0
                parts.append(part)
            part.setdefault(f"{kind}", []).append(row)  # a plain text: SQLAlchemy gives its own
            size += length
    return [orjson.dumps(one).decode() for one in parts]


def join(parts: Sequence[str]) -> tuple[dict[str, Rows], list[str]]:
    """Return what `cut` has cut: rows by kind, and the kinds of which rows were left off."""
    rows: dict[str, Rows] = {}
    left_off: list[str] = []
    for text in parts:
        loaded = orjson.loads(text)
        left_off += loaded.pop(LEFT_OFF, [])
        for kind, some in loaded.items():
            rows.setdefault(kind, []).extend(some)
    return rows, left_off
