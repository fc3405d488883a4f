"""The base of this service's tables, and the column type of a moment."""

from sqlalchemy import DateTime
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

Moment = DateTime(timezone=True)
"""A point in time, always with its zone."""


class Base(SQLModel, registry=registry()):
    """Base of the tables of orders-svc."""
