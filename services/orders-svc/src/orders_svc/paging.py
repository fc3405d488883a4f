"""Cursors of lists that are sorted by what is due first."""

from datetime import datetime
from uuid import UUID

from kantis_kit.web.paging import moment, read_cursor


def due_after(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Return the due moment and the id after which the next page begins. Raises `Invalid` for a cursor that we did not make."""
    keys = read_cursor(cursor, moment, UUID)
    return (keys[0], keys[1]) if keys else None
