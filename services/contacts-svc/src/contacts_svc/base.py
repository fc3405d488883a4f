"""The base of this service's tables, with a registry of its own: services share a process when embedded."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, DateTime, FromClause, Result, Table, bindparam, column, func
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

Moment = DateTime(timezone=True)
"""A timestamptz column."""


class Base(SQLModel, registry=registry()):
    """Base of every table of contacts-svc."""


def table_of(model: type[SQLModel]) -> Table:
    """Return the table behind a model, for set-based statements."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
    return table


def row_set(name: str, columns: Mapping[str, tuple[TypeEngine[Any], Sequence[Any]]]) -> FromClause:
    """Return rows given column by column as something to select from: one parameter per column, any number of rows."""
    arrays = [
        bindparam(f"{name}_{key}", list(values), type_=ARRAY(kind), unique=True)
        for key, (kind, values) in columns.items()
    ]
    wanted = [column(key, kind) for key, (kind, _) in columns.items()]
    return func.unnest(*arrays).table_valued(*wanted, name=name).render_derived()


def plain(rows: Result[Any]) -> list[tuple[Any, ...]]:
    """Return rows as plain tuples, to be unpacked."""
    return [tuple(row) for row in rows]
