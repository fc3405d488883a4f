"""The id that ties things together."""

from contextvars import ContextVar
from uuid import UUID

correlation_id: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)
"""The id that ties a request, its events and their effects together."""
