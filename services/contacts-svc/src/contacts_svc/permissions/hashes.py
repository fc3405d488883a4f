"""Keyed hashes by which addresses are known after they are gone: once in Python, once in SQL, a test compares them."""

import hashlib
import hmac
import re
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, LargeBinary, bindparam, func, literal

_BLOCK = 64
_SEALED = b"doorstep 1"
"""What is sealed; another number when a doorstep is spelled another way."""
_LETTERS = "0-9a-zæøåäöéüðþáíóúý"
_REST = re.compile(f"[^{_LETTERS}]")


def keyed_hash(key: bytes, text: str) -> bytes:
    """Return the HMAC-SHA-256 of a text."""
    return hmac.digest(key, text.encode(), "sha256")


def keyed_hash_sql(key: bytes, text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the same in SQL; PostgreSQL has SHA-256 but no HMAC without an extension."""
    block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\x00")
    inner, outer = (
        bindparam(None, bytes(one ^ pad for one in block), type_=LargeBinary(), unique=True)
        for pad in (0x36, 0x5C)
    )
    return func.sha256(outer.op("||")(func.sha256(inner.op("||")(func.convert_to(text, "UTF8")))))


def identity(kind: str, value: str) -> str:
    """Return what is hashed of an e-mail address or phone number."""
    return f"{kind}:{value}"


def identity_sql(kind: ColumnElement[Any], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the same in SQL."""
    return kind.op("||")(":").op("||")(value)


def folded(text: str) -> str:
    """Return a text without what two spellings of one name or street differ in: case, spaces, signs."""
    return _REST.sub("", text.lower())


def doorstep(name: str, street: str, postal_code: str) -> str:
    """Return what is hashed of a person at a postal address; empty when a part is missing."""
    parts = [folded(part) for part in (name, street, postal_code)]
    return "address:" + "|".join(parts) if all(parts) else ""


def doorstep_sql(
    name: ColumnElement[Any], street: ColumnElement[Any], postal_code: ColumnElement[Any]
) -> ColumnElement[Any]:
    """Return the same in SQL, without the empty case."""
    parts = [
        func.regexp_replace(func.lower(part), f"[^{_LETTERS}]", "", "g")
        for part in (name, street, postal_code)
    ]
    return (
        literal("address:")
        .op("||")(parts[0])
        .op("||")("|")
        .op("||")(parts[1])
        .op("||")("|")
        .op("||")(parts[2])
    )


def seal_sql(
    key: bytes,
    name: ColumnElement[Any],
    street: ColumnElement[Any],
    postal_code: ColumnElement[Any],
) -> ColumnElement[Any]:
    """Return, in SQL, what differs as soon as one of these or the key does; it costs a tenth of the keyed hash."""
    parts = name.op("||")("\n").op("||")(street).op("||")("\n").op("||")(postal_code)
    seed = int.from_bytes(hmac.digest(key, _SEALED, "sha256")[:8], "big", signed=True)
    return func.hashtextextended(parts, literal(seed, BigInteger()), type_=BigInteger())
