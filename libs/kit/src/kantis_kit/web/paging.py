"""Cursor paging: a page and an opaque pointer to the next one."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Protocol, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from kantis_kit.errors import Invalid

T = TypeVar("T")
Limit = Annotated[int, Field(ge=1, le=200)]
"""How much of a list is asked for at once."""
_NOT_OURS = "cursor: take it from next_cursor of the page before, unchanged"


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(*keys: Any) -> str:
    """Pack the sort keys of the last row shown."""
    return base64.urlsafe_b64encode(orjson.dumps(keys, default=str)).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, length: int) -> list[Any] | None:
    """Unpack a cursor. Raises `Invalid` for one that we did not make."""
    if not cursor:
        return None
    try:
        keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, orjson.JSONDecodeError) as error:
        raise Invalid(_NOT_OURS) from error
    if not isinstance(keys, list) or len(keys) != length:
        raise Invalid(_NOT_OURS)
    if any(isinstance(key, str) and "\x00" in key for key in keys):
        raise Invalid(_NOT_OURS)
    return keys


def read_cursor(cursor: str | None, *kinds: Callable[[str], Any]) -> list[Any] | None:
    """Unpack a cursor whose keys are of these kinds, such as `read_cursor(cursor, moment, UUID)`.

    Raises:
        Invalid: we did not make it, or not for this list.
    """
    keys = decode_cursor(cursor, len(kinds))
    if keys is None:
        return None
    try:
        return [kind(str(key)) for kind, key in zip(kinds, keys, strict=True)]
    except (ValueError, OverflowError) as error:
        raise Invalid(_NOT_OURS) from error


def id_after(cursor: str | None) -> UUID | None:
    """Return the id after which the next page of a list begins that is sorted by ids alone; raises as `read_cursor`."""
    keys = read_cursor(cursor, UUID)
    return keys[0] if keys else None


class _Named(Protocol):
    @property
    def id(self) -> UUID: ...


NamedT = TypeVar("NamedT", bound=_Named)


def page_by_id(items: Sequence[NamedT], limit: int) -> "Page[NamedT]":
    """Return a page of a list that is sorted by ids alone; what is full may have another one behind it."""
    more = encode_cursor(items[-1].id) if len(items) == limit else None
    return Page(items=list(items), next_cursor=more)


def moment(text: str) -> datetime:
    """Read a moment of a cursor, in UTC. Raises `ValueError`, also for one that names no time zone."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        message = "a moment without a time zone"
        raise ValueError(message)
    return read.astimezone(UTC)
