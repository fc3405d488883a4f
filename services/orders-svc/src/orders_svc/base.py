"""The base of this service's tables, and the column type of a moment."""

from sqlalchemy import DateTime, Table
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

Moment = DateTime(timezone=True)
"""A point in time, always with its zone."""


class Base(SQLModel, registry=registry()):
    """Base of the tables of orders-svc."""


def table_of(model: type[SQLModel]) -> Table:
    """Return the table behind a model, for set-based statements."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
    return table
