"""Ids that became one with another: rows of the one follow to the other, and go back when that was wrong.

Where a row stands is a function of the id under which it came and of the aliases alone. So any order and any number of
news end the same, chains of merges hold, and what is undone ends where it began. A table that follows has a column
`merged_id`: the id under which the row came, while a merge has it stand with another; empty otherwise.

What two transactions do at the same time may miss each other (a row of the old id that is written while the merge is):
look again a little later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Executable,
    FromClause,
    Index,
    MetaData,
    Result,
    Table,
    Uuid,
    and_,
    case,
    column,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from kantis_kit.db.sets import one_of, row_set

LOOK_AGAIN_AFTER = timedelta(minutes=1)
"""Longer than any transaction lasts that could have missed a merge."""
_LOCK = 0x616C696173  # 'alias': chains are worked out by one transaction at a time
_MOMENT = DateTime(timezone=True)
_ID = Uuid[UUID]()


class Runs(Protocol):
    """A transaction."""

    async def execute(self, statement: Executable) -> Result[Any]:
        """Run a statement and return its rows."""


@dataclass(frozen=True, slots=True)
class Merge:
    """What is said of an id: it became one with another, or that was undone. The highest version holds."""

    merged_id: UUID
    into_id: UUID
    merge_id: UUID
    version: int
    is_undone: bool
    at: datetime


def alias_table(metadata: MetaData, name: str = "person_alias") -> Table:
    """Return the table of merged ids; `known_id` is the end of the chain, empty when there is none (any more)."""
    return Table(
        name,
        metadata,
        Column("merged_id", Uuid, primary_key=True),
        Column("into_id", Uuid, nullable=False),
        Column("known_id", Uuid),
        Column("merge_id", Uuid, nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("is_undone", Boolean, nullable=False),
        Column("at", _MOMENT, nullable=False),
        Index(f"{name}_into", "into_id"),
        Index(f"{name}_known", "known_id"),
    )


async def keep(tx: Runs, aliases: Table, news: Iterable[Merge]) -> list[UUID]:
    """Store what is newer than what is held; return the ids that lead somewhere else now."""
    newest: dict[UUID, Merge] = {}
    for one in news:
        held = newest.get(one.merged_id)
        if held is None or held.version < one.version:
            newest[one.merged_id] = one
    if not newest:
        return []
    await tx.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    names = ("merged_id", "into_id", "merge_id", "version", "is_undone", "at")
    new = row_set(
        "new",
        (
            column("merged_id", _ID),
            column("into_id", _ID),
            column("merge_id", _ID),
            column("version", BigInteger()),
            column("is_undone", Boolean()),
            column("at", _MOMENT),
        ),
        [tuple(getattr(newest[id_], name) for name in names) for id_ in sorted(newest)],
    )
    put = insert(aliases).from_select(names, select(*(new.c[name] for name in names)))
    await tx.execute(
        put.on_conflict_do_update(
            index_elements=["merged_id"],
            set_={name: put.excluded[name] for name in names[1:]},
            where=aliases.c.version < put.excluded.version,
        )
    )
    return await _find_ends(tx, aliases, sorted(newest))


async def _find_ends(tx: Runs, aliases: Table, changed: Sequence[UUID]) -> list[UUID]:
    """Work out where chains end that lead through these ids; return the ids of which the end is another now."""
    below = select(aliases.c.merged_id).where(aliases.c.merged_id == one_of(changed, _ID))
    under = below.cte("under", recursive=True)
    lower = aliases.alias("lower")
    under = under.union(
        select(lower.c.merged_id)
        .join(under, lower.c.into_id == under.c.merged_id)
        .where(~lower.c.is_undone)
    )
    way = select(under.c.merged_id.label("id"), under.c.merged_id.label("at")).cte(
        "way", recursive=True
    )
    upper = aliases.alias("upper")
    # UNION drops what was seen: a circle, which is possible while news are on their way, comes to no end and is none.
    way = way.union(
        select(way.c.id, upper.c.into_id)
        .join(upper, upper.c.merged_id == way.c.at)
        .where(~upper.c.is_undone)
    )
    last = aliases.alias("last")
    leads_on = select(last.c.merged_id).where(last.c.merged_id == way.c.at, ~last.c.is_undone)
    ends = select(way.c.id, way.c.at).where(~leads_on.correlate(way).exists()).cte("ends")
    end = func.nullif(
        select(ends.c.at).where(ends.c.id == aliases.c.merged_id).scalar_subquery(),
        aliases.c.merged_id,
    )
    rows = await tx.execute(
        update(aliases)
        .where(
            aliases.c.merged_id.in_(select(under.c.merged_id)),
            aliases.c.known_id.is_distinct_from(end),
        )
        .values(known_id=end)
        .returning(aliases.c.merged_id)
    )
    return sorted(rows.scalars())


async def move(
    tx: Runs, aliases: Table, rows: Table, ids: Sequence[UUID], *, name: str = "person_id"
) -> None:
    """Let the rows that came under these ids stand where the aliases say."""
    if not ids:
        return
    chosen = aliases.c.merged_id == one_of(ids, _ID)
    stands, came = rows.c[name], rows.c.merged_id
    place = func.coalesce(aliases.c.known_id, aliases.c.merged_id)
    await tx.execute(
        update(rows)
        .where(chosen, came == aliases.c.merged_id, stands != place)
        .values(
            {
                name: place,
                "merged_id": case((aliases.c.known_id.is_(None), null()), else_=came),
            }
        )
    )
    await tx.execute(
        update(rows)
        .where(
            chosen,
            stands == aliases.c.merged_id,
            came.is_(None),
            aliases.c.known_id.is_not(None),
        )
        .values({name: aliases.c.known_id, "merged_id": aliases.c.merged_id})
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """How rows that come in are put where they stand: select `stands` and `came` from `source`."""

    source: FromClause
    stands: ColumnElement[UUID]
    came: ColumnElement[UUID | None]


def placed(aliases: Table, new: FromClause, *, name: str = "person_id") -> Placed:
    """Return new rows beside their alias, for INSERT … SELECT."""
    named = new.c[name]
    leads = and_(aliases.c.merged_id == named, aliases.c.known_id.is_not(None))
    return Placed(
        new.outerjoin(aliases, leads),
        func.coalesce(aliases.c.known_id, named),
        aliases.c.merged_id,
    )


async def resolve(tx: Runs, aliases: Table, ids: Iterable[UUID | None]) -> Mapping[UUID, UUID]:
    """Return where each of these leads; an id that was not merged is left out."""
    chosen = sorted({id_ for id_ in ids if id_ is not None})
    if not chosen:
        return {}
    rows = await tx.execute(
        select(aliases.c.merged_id, aliases.c.known_id).where(
            aliases.c.merged_id == one_of(chosen, _ID), aliases.c.known_id.is_not(None)
        )
    )
    return {row.merged_id: row.known_id for row in rows}


async def families(tx: Runs, aliases: Table, ids: Iterable[UUID]) -> Mapping[UUID, UUID]:
    """Return every merged id that is one of these or leads to one, with where it leads."""
    chosen = sorted(set(ids))
    if not chosen:
        return {}
    rows = await tx.execute(
        select(aliases.c.merged_id, aliases.c.known_id).where(
            aliases.c.known_id.is_not(None),
            or_(
                aliases.c.merged_id == one_of(chosen, _ID),
                aliases.c.known_id == one_of(chosen, _ID),
            ),
        )
    )
    return {row.merged_id: row.known_id for row in rows}
