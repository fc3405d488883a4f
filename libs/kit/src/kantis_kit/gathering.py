"""Everything that stands about somebody in tables, as JSON, in parts that travel."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, MetaData, Table, Uuid, func, select
from sqlalchemy.dialects.postgresql import JSONB

from kantis_contracts.base import Event
from kantis_contracts.privacy import DossierPart
from kantis_kit.db.sets import one_of
from kantis_kit.tx import ReadTx, Tx

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


async def rows_naming(
    tx: ReadTx, metadata: MetaData, ids: Collection[UUID], *, without: Sequence[str] = ()
) -> dict[str, Rows]:
    """Return the rows of every table that name one of these persons, by table."""
    chosen = one_of(sorted(ids), Uuid())
    return {
        name: await rows_of(tx, table, table.c.person_id == chosen, without=without)
        for name, table in metadata.tables.items()
        if "person_id" in table.c
    }


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


def parts_of(
    dossier_id: UUID, found: Mapping[str, Rows], *, at: datetime
) -> tuple[DossierPart, ...]:
    """Return what was found of a person in parts that travel."""
    texts = cut(found)
    return tuple(
        DossierPart(
            dossier_id=dossier_id, part=number, parts=len(texts), content=content, answered_at=at
        )
        for number, content in enumerate(texts, start=1)
    )


class Wish(Protocol):
    """Somebody wants to know what is held under these ids."""

    @property
    def dossier_id(self) -> UUID:
        """Under which the answer is gathered."""
        ...

    @property
    def person_ids(self) -> tuple[UUID, ...]:
        """The ids."""
        ...


async def answer(
    tx: Tx,
    wishes: Iterable[Wish],
    *,
    gather: Callable[[ReadTx, Sequence[UUID]], Awaitable[Mapping[str, Rows]]],
    event: Callable[[tuple[DossierPart, ...]], Event],
) -> None:
    """Answer each with everything that is held of the person, as an event of parts."""
    for one in wishes:
        found = await gather(tx, one.person_ids)
        tx.stage(event(parts_of(one.dossier_id, found, at=tx.clock.now())))


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
