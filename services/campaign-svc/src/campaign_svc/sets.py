"""Many rows as one parameter per column, for set-based statements."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnClause, any_, func, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import CollectionAggregate
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine


def row_set(
    name: str, columns: Sequence["ColumnClause[Any]"], rows: Iterable[Sequence[Any]]
) -> TableValuedAlias:
    """Return the rows as a relation `name` with these columns; one array per column travels."""
    materialised = list(rows)
    arrays = [
        literal([row[index] for row in materialised], ARRAY(column.type))
        for index, column in enumerate(columns)
    ]
    return func.unnest(*arrays).table_valued(*columns).render_derived(name=name)


def one_of(values: Sequence[Any], kind: "TypeEngine[Any]") -> "CollectionAggregate[Any]":
    """Return what a column is compared with to be one of many values: one array travels, not a parameter each."""
    return any_(literal(list(values), ARRAY(kind)))
