"""Many rows as one parameter per column, for set-based statements: however many there are, the statement is the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnClause, any_, column, func, literal
from sqlalchemy.dialects.postgresql import ARRAY
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


def one_of(values: Sequence[Any], kind: "TypeEngine[Any]") -> "CollectionAggregate[Any]":
    """Return what a column is compared with to be one of many values: one array travels, not a parameter each."""
    return any_(literal(list(values), ARRAY(kind)))
