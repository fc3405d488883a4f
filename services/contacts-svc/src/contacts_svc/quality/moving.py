"""Moves whatever stands with one person to another, in every table that names persons, and back.

The tables are found in the metadata, so that a table that is added later follows by itself. Where both persons have a row
that only one may have, that of the known one stays, and the other is kept to be put back.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

from contacts_svc.base import Base
from kantis_kit.tx import ReadTx, Tx

OF_THE_ID = frozenset(
    {
        # The ledger is append-only, and its state is that of the ledger: what it says is entered anew, not moved.
        *("permission_ledger", "permission_state"),
        # Which rows of a file made or changed an id is about the id.
        *("import_touched",),
        # Kept up to date from what was touched.
        *("segment_member", "segment_due", "touched_person", "duplicate_due", "duplicate_key"),
        *("person_value", "quality_score", "doorstep"),
    }
)
"""Tables whose rows are about an id and do not follow the person."""
DERIVED = ("person_value", "quality_score", "doorstep", "duplicate_key", "duplicate_due")
"""Of those, what is worked out anew and is not left behind."""
_FIRST_ONLY: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "identifier": ("is_primary", ("kind",)),
    "person_link": ("is_main", ()),
    "postal_address": ("is_in_use", ()),
}
"""Flags that one row of a person may carry, and per what."""

Row = dict[str, Any]


class _RowOf(UserDefinedType[Any]):
    """The row type of a table."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Name the type."""
        return f'"{self.name}"'


def tables() -> list[Table]:
    """Return every table that names a person, as `person_id`."""
    return [table for table in Base.metadata.sorted_tables if "person_id" in table.c]


def _moving() -> list[Table]:
    return [table for table in tables() if table.name not in OF_THE_ID]


def _uniques(table: Table) -> list[list[Column[Any]]]:
    """Return what else makes a row the only one of a person; a partial rule is a flag and is not meant."""
    sets = [list(table.primary_key.columns)]
    sets += [list(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    sets += [
        list(one.columns)
        for one in table.indexes
        if one.unique and one.dialect_options["postgresql"]["where"] is None
    ]
    found = [[c for c in one if c.name != "person_id"] for one in sets if table.c.person_id in one]
    # A value may be several rows: that of the known person stays whole.
    return [
        [c for c in one if (table.name, c.name) != ("field_value", "position")] for one in found
    ]


def _key(table: Table) -> list[Column[Any]]:
    return [c for c in table.primary_key.columns if c.name != "person_id"]


def _as_object(columns: Sequence[Column[Any]]) -> ColumnElement[Row]:
    parts = [part for one in columns for part in (literal(one.name), one)]
    return func.jsonb_build_object(*parts, type_=JSONB())


def _kept_rows(table: Table, rows: Sequence[Row]) -> FromClause:
    """Return kept rows as something to select from."""
    return func.jsonb_populate_recordset(
        cast(null(), _RowOf(table.name)), bindparam(None, list(rows), type_=JSONB(), unique=True)
    ).table_valued(*(column(c.name, c.type) for c in table.c), name="kept")


async def move(tx: Tx, merged: UUID, known: UUID) -> dict[str, dict[str, list[Row]]]:
    """Move what stands with one person to another; return what was moved, dropped and lowered, per table."""
    told: dict[str, dict[str, list[Row]]] = {"moved": {}, "dropped": {}, "lowered": {}}
    # Evidence goes before the address it is about: with an address that is dropped it would go, too.
    for table in reversed(_moving()):
        told["dropped"][table.name] = await _drop_conflicts(tx, table, merged, known)
        told["lowered"][table.name] = await _lower(tx, table, merged, known)
        moved = await tx.scalars(
            update(table)
            .where(table.c.person_id == merged)
            .values(person_id=known)
            .returning(_as_object(_key(table)))
        )
        told["moved"][table.name] = list(moved)
    return {
        what: {name: rows for name, rows in found.items() if rows} for what, found in told.items()
    }


async def _drop_conflicts(tx: Tx, table: Table, merged: UUID, known: UUID) -> list[Row]:
    dropped: list[Row] = []
    other = table.alias("other")
    for rest in _uniques(table):
        same = and_(other.c.person_id == known, *(other.c[c.name] == c for c in rest))
        rows = await tx.scalars(
            delete(table)
            .where(
                table.c.person_id == merged,
                select(literal(1)).select_from(other).where(same).correlate(table).exists(),
            )
            .returning(_as_object(list(table.c)))
        )
        dropped += list(rows)
    return dropped


async def _lower(tx: Tx, table: Table, merged: UUID, known: UUID) -> list[Row]:
    if table.name not in _FIRST_ONLY:
        return []
    flag, per = _FIRST_ONLY[table.name]
    other = table.alias("other")
    same = and_(
        other.c.person_id == known, other.c[flag], *(other.c[name] == table.c[name] for name in per)
    )
    rows = await tx.scalars(
        update(table)
        .where(
            table.c.person_id == merged,
            table.c[flag],
            select(literal(1)).select_from(other).where(same).correlate(table).exists(),
        )
        .values({flag: False})
        .returning(_as_object(_key(table)))
    )
    return list(rows)


async def move_back(
    tx: Tx, merged: UUID, known: UUID, told: Mapping[str, Mapping[str, Sequence[Row]]]
) -> None:
    """Give back what was moved and is still there, and put back what was dropped."""
    by_name = {table.name: table for table in _moving()}
    for name, rows in told["moved"].items():
        table = by_name[name]
        old = _kept_rows(table, rows)
        await tx.execute(
            update(table)
            .where(
                table.c.person_id == known, *(table.c[c.name] == old.c[c.name] for c in _key(table))
            )
            .values(person_id=merged)
        )
    for name, rows in told["lowered"].items():
        table, flag = by_name[name], _FIRST_ONLY[name][0]
        old = _kept_rows(table, rows)
        await tx.execute(
            update(table)
            .where(
                table.c.person_id == merged,
                *(table.c[c.name] == old.c[c.name] for c in _key(table)),
            )
            .values({flag: True})
        )
    for name, rows in told["dropped"].items():
        await restore(tx, by_name[name], rows)


async def restore(tx: Tx, table: Table, rows: Sequence[Row]) -> None:
    """Put rows back as they were."""
    old = _kept_rows(table, rows)
    names = [c.name for c in table.c]
    await tx.execute(insert(table).from_select(names, select(*(old.c[name] for name in names))))


async def clear_derived(tx: Tx, person_id: UUID) -> None:
    """Drop what was worked out about an id that is no more."""
    for name in DERIVED:
        table = Base.metadata.tables[name]
        await tx.execute(delete(table).where(table.c.person_id == person_id))


async def row_of(tx: ReadTx, table: Table, id_: UUID) -> Row:
    """Return a row as it can be put back."""
    row: Row = await tx.scalar(select(_as_object(list(table.c))).where(table.c.id == id_))
    return row
