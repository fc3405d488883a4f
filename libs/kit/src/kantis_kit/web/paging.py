"""Cursor paging: a page and an opaque pointer to the next one."""

import base64
import binascii
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel

from kantis_kit.errors import Invalid

T = TypeVar("T")


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
        raise Invalid("cursor: take it from next_cursor of the page before, unchanged") from error
    if not isinstance(keys, list) or len(keys) != length:
        raise Invalid("cursor: take it from next_cursor of the page before, unchanged")
    return keys
