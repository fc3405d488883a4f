"""The base of this service's tables, and the column types of a moment and of a rate."""

from sqlalchemy import DateTime, Numeric, Table
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

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
