"""The base of this service's tables, the column types of a moment and of a rate, and how many rows are written at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import DateTime, Numeric, Table, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from kantis_kit.db.sets import table_set

Moment = DateTime(timezone=True)
"""A point in time, always with its zone."""

Pct = Numeric(5, 2)
"""A rate in per cent, exact to the hundredth: Finland has 25.5."""


class Base(SQLModel, registry=registry()):
    """Base of the tables of orders-svc."""


def table_of(model: type[SQLModel]) -> Table:
    """Return the table behind a model, for set-based statements."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
    return table


def insert_all(model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> Insert:
    """Return the one statement that inserts rows; all of them name the columns of the first.

    A list of rows handed to `insert(model)` becomes a statement for each change of which values are None among them.
    """
    table = table_of(model)
    told = table_set("told", table, rows)
    return insert(table).from_select(list(told.c.keys()), select(*told.c))
