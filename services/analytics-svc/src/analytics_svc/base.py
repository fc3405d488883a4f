"""The base of this service's tables."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class Base(SQLModel, registry=registry()):
    """Tables of analytics-svc; a registry of its own keeps them apart from other services in one process."""
