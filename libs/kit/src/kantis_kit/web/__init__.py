"""HTTP at the edge of a service: routes with policies, problems, idempotency, paging, limits."""

from kantis_kit.web.app import create_api, create_public
from kantis_kit.web.deps import Caller, Now, Read, Write, require_match
from kantis_kit.web.paging import Page, decode_cursor, encode_cursor, id_after, moment, read_cursor
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import In, Out

__all__ = [
    "Caller",
    "In",
    "Now",
    "Out",
    "Page",
    "Read",
    "Router",
    "Write",
    "create_api",
    "create_public",
    "decode_cursor",
    "encode_cursor",
    "id_after",
    "moment",
    "read_cursor",
    "require_match",
]
