"""Many rows as one parameter per column, for set-based statements: however many there are, the statement is the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    ColumnClause,
    FromClause,
    Table,
    Text,
    any_,
    cast,
    column,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql.elements import CollectionAggregate
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine


def row_set(
    name: str, columns: Sequence["ColumnClause[Any]"], rows: Iterable[Sequence[Any]]
) -> TableValuedAlias:
    """Return the rows as a relation `name` with these columns; one array per column travels."""
    materialised = list(rows)
    return column_set(
        name,
        {
            one.name: (one.type, [row[index] for row in materialised])
            for index, one in enumerate(columns)
        },
    )


def column_set(
    name: str, columns: Mapping[str, tuple["TypeEngine[Any]", Sequence[Any]]]
) -> TableValuedAlias:
    """Return rows that are given column by column, each with its type, as a relation `name`."""
    arrays = [literal(list(values), ARRAY(kind)) for kind, values in columns.values()]
    wanted = [column(key, kind) for key, (kind, _) in columns.items()]
    return func.unnest(*arrays).table_valued(*wanted).render_derived(name=name)


def table_set(name: str, table: Table, rows: Sequence[Mapping[str, Any]]) -> FromClause:
    """Return rows for a table as a relation `name`, to be inserted from; the first row names the columns."""
    kinds = {key: table.c[key].type for key in (rows[0] if rows else ())}
    columns: dict[str, tuple[TypeEngine[Any], Sequence[Any]]] = {}
    for key, kind in kinds.items():
        values = [row[key] for row in rows]
        # A list in an array would become another dimension of it: documents travel as text.
        is_document = isinstance(kind, JSONB)
        columns[key] = (
            (Text(), [_document(value) for value in values]) if is_document else (kind, values)
        )
    told = column_set(f"{name}_rows", columns)
    return select(
        *(
            cast(told.c[key], kind).label(key) if isinstance(kind, JSONB) else told.c[key]
            for key, kind in kinds.items()
        )
    ).subquery(name)


def _document(value: object) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def one_of(values: Sequence[Any], kind: "TypeEngine[Any]") -> "CollectionAggregate[Any]":
    """Return what a column is compared with to be one of many values: one array travels, not a parameter each."""
    return any_(literal(list(values), ARRAY(kind)))
