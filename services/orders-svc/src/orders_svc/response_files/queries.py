"""Read files of responses, the rows that came back, and those in review."""

import csv
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import select, tuple_
from sqlmodel import col

from kantis_kit.tx import ReadTx
from orders_svc.response_files.errors import FileNotKnown, MappingNotFound
from orders_svc.response_files.lines import ADDED, joined
from orders_svc.response_files.model import Mapping, Reject, ResponseFile, Review, ReviewState
from orders_svc.response_files.schemas import Form, MappingIn

AT_ONCE = 1_000


async def get_mapping(tx: ReadTx, name: str) -> Mapping:
    """Return the mapping of a name. Raises `MappingNotFound`."""
    found = await tx.get(Mapping, name)
    if found is None:
        raise MappingNotFound(
            f"No mapping is called {name!r}; GET /v1/response-files/mappings lists them,"
            " PUT /v1/response-files/mappings/{name} declares one"
        )
    return found


async def list_mappings(tx: ReadTx) -> list[Mapping]:
    """Return the mappings by their names."""
    return list(await tx.scalars(select(Mapping).order_by(col(Mapping.name))))


async def get_file(tx: ReadTx, file_id: UUID) -> ResponseFile:
    """Return a file. Raises `FileNotKnown`."""
    found = await tx.get(ResponseFile, file_id)
    if found is None:
        raise FileNotKnown(f"No file has the id {file_id}; GET /v1/response-files lists them")
    return found


async def list_files(tx: ReadTx, *, after: UUID | None, limit: int) -> list[ResponseFile]:
    """Return a page of files in the sequence of their coming."""
    statement = select(ResponseFile).order_by(col(ResponseFile.file_id)).limit(limit)
    if after is not None:
        statement = statement.where(col(ResponseFile.file_id) > after)
    return list(await tx.scalars(statement))


async def list_reviews(
    tx: ReadTx,
    *,
    state: ReviewState,
    file_id: UUID | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Review]:
    """Return a page of rows in review, those that are due first in front."""
    key = (col(Review.due_at), col(Review.review_id))
    statement = select(Review).where(col(Review.state) == state.value).order_by(*key).limit(limit)
    if file_id is not None:
        statement = statement.where(col(Review.file_id) == file_id)
    if after is not None:
        statement = statement.where(tuple_(*key) > after)
    return list(await tx.scalars(statement))


async def rejects_as_file(tx: ReadTx, file: ResponseFile) -> AsyncIterator[bytes]:
    """Yield the rows that were not taken in the form in which they came, each with its number and the reason.

    They can be mended in place and sent again: what was added is not read.
    """
    mapping = MappingIn.model_validate(file.reading)
    plain = [name for name in file.header if name not in ADDED]
    if plain:
        yield _encoded(joined([*plain, *ADDED], mapping.delimiter), mapping)
    after = 0
    while True:
        rows = list(
            await tx.scalars(
                select(Reject)
                .where(col(Reject.file_id) == file.file_id, col(Reject.row_number) > after)
                .order_by(col(Reject.row_number))
                .limit(AT_ONCE)
            )
        )
        for row in rows:
            yield _encoded(_told(row, mapping, len(plain)), mapping)
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].row_number


def _encoded(line: str, mapping: MappingIn) -> bytes:
    return f"{line}\r\n".encode(mapping.encoding, errors="replace")


def _told(row: Reject, mapping: MappingIn, width: int) -> str:
    if mapping.form is Form.FIXED:
        return f"{row.line[: mapping.width].ljust(mapping.width)} #{row.row_number} {row.reason}"
    if mapping.form is Form.JSON_LINES:
        try:
            found = orjson.loads(row.line)
        except orjson.JSONDecodeError:
            found = None
        kept = found if isinstance(found, dict) else {"line": row.line}
        return orjson.dumps(kept | {ADDED[0]: row.row_number, ADDED[1]: row.reason}).decode()
    cells = next(csv.reader([row.line], delimiter=mapping.delimiter), [])
    if width:
        cells = [*cells[:width], *[""] * (width - len(cells))]
    return joined([*cells, str(row.row_number), row.reason], mapping.delimiter)
