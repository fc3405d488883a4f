"""Cursors of lists that are sorted by an id."""

from datetime import datetime
from uuid import UUID

from kantis_kit.errors import Invalid
from kantis_kit.web.paging import decode_cursor


def id_after(cursor: str | None) -> UUID | None:
    """Return the id after which the next page begins. Raises `Invalid` for a cursor that we did not make."""
    keys = decode_cursor(cursor, 1)
    if keys is None:
        return None
    try:
        return UUID(str(keys[0]))
    except ValueError as error:
        raise Invalid("cursor: take it from next_cursor of the page before, unchanged") from error


def due_after(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Return the due moment and the id after which the next page begins. Raises `Invalid` likewise."""
    keys = decode_cursor(cursor, 2)
    if keys is None:
        return None
    try:
        return datetime.fromisoformat(str(keys[0])), UUID(str(keys[1]))
    except ValueError as error:
        raise Invalid("cursor: take it from next_cursor of the page before, unchanged") from error
