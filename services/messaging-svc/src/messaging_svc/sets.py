"""Many rows as one parameter: a JSON array that PostgreSQL reads as a table."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import TableValuedAlias, Text, bindparam, cast, column, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine


def recordset(
    name: str, rows: Iterable[Mapping[str, Any]], /, **columns: TypeEngine[Any]
) -> TableValuedAlias:
    """Return the rows as a table with these columns, for INSERT … SELECT and UPDATE … FROM."""
    text = orjson.dumps(list(rows), default=str).decode()
    return (
        func.jsonb_to_recordset(cast(bindparam(None, text, Text(), unique=True), JSONB))
        .table_valued(*(column(key, kind) for key, kind in columns.items()))
        .render_derived(name=name, with_types=True)
    )
