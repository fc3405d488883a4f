"""The base of this service's tables, with a registry of its own: services share a process when embedded."""

from typing import Any

from sqlalchemy import DateTime, Result, Table
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

Moment = DateTime(timezone=True)
"""A timestamptz column."""


class Base(SQLModel, registry=registry()):
    """Base of every table of contacts-svc."""


def table_of(model: type[SQLModel]) -> Table:
    """Return the table behind a model, for set-based statements."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
    return table


def plain(rows: Result[Any]) -> list[tuple[Any, ...]]:
    """Return rows as plain tuples, to be unpacked."""
    return [tuple(row) for row in rows]
