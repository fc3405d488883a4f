"""Reads of imports."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.imports.errors import ImportUnknown, MappingUnknown
from contacts_svc.imports.model import Import, ImportMapping, ImportReject, ImportTouched
from contacts_svc.imports.schemas import ImportOut, KeptOut, MappingOut
from kantis_kit.csv_rows import quoted
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import Page, encode_cursor, read_cursor

REJECTS_AT_ONCE = 1_000


def import_out(found: Import) -> ImportOut:
    """Shape an import for the API."""
    done = found.state in ("done", "undone")
    percent = 100 if done else int(100 * found.offset_bytes / max(1, found.file_bytes))
    return ImportOut(
        **found.model_dump(),
        unknown_columns=[column for column in found.header if not found.mapping.get(column)],
        percent=min(percent, 100),
        rows=max(0, found.row_number - 1),
    )


async def get_import(tx: ReadTx, import_id: UUID) -> ImportOut:
    """Return an import. Raises `ImportUnknown`."""
    found = await tx.get(Import, import_id)
    if found is None:
        raise ImportUnknown
    return import_out(found)


async def list_imports(tx: ReadTx, *, limit: int) -> list[ImportOut]:
    """Return the newest imports first."""
    rows = await tx.scalars(select(Import).order_by(col(Import.id).desc()).limit(limit))
    return [import_out(row) for row in rows]


async def list_mappings(tx: ReadTx) -> list[MappingOut]:
    """Return the saved mappings by their names."""
    rows = await tx.scalars(select(ImportMapping).order_by(col(ImportMapping.name)))
    return [MappingOut.model_validate(row) for row in rows]


async def get_mapping(tx: ReadTx, mapping_id: UUID) -> ImportMapping:
    """Return a saved mapping. Raises `MappingUnknown`."""
    found = await tx.get(ImportMapping, mapping_id)
    if found is None:
        raise MappingUnknown("GET /v1/imports/mappings lists those that are saved")
    return found


async def find_mapping(tx: ReadTx, name: str) -> ImportMapping:
    """Return the mapping of a name. Raises `MappingUnknown`."""
    found: ImportMapping | None = await tx.scalar(
        select(ImportMapping).where(col(ImportMapping.name) == name)
    )
    if found is None:
        raise MappingUnknown("saved_mapping: GET /v1/imports/mappings lists those that are saved")
    return found


async def list_kept(
    tx: ReadTx, import_id: UUID, *, cursor: str | None, limit: int
) -> Page[KeptOut]:
    """Return of whom an undo has left something, and why. Raises `ImportUnknown`."""
    await get_import(tx, import_id)
    wanted = (
        select(ImportTouched)
        .where(col(ImportTouched.import_id) == import_id, col(ImportTouched.kept_because) != "")
        .order_by(col(ImportTouched.person_id))
        .limit(limit + 1)
    )
    after = read_cursor(cursor, UUID)
    if after:
        wanted = wanted.where(col(ImportTouched.person_id) > after[0])
    rows = (await tx.scalars(wanted)).all()
    shown = rows[:limit]
    return Page(
        items=[KeptOut.model_validate(row) for row in shown],
        next_cursor=encode_cursor(shown[-1].person_id) if len(rows) > limit else None,
    )


async def rejects_as_csv(tx: ReadTx, import_id: UUID) -> AsyncIterator[bytes]:
    """Yield the rows that were not taken, each with its number and reason, as a file that can be mended and sent again.

    Raises:
        ImportUnknown: no such import.
    """
    found = await tx.get(Import, import_id)
    if found is None:
        raise ImportUnknown
    # With a byte order mark spreadsheets read æ, ø and å rightly.
    yield ("\ufeff" + _lines(found.delimiter, [["row_number", "reason", *found.header]])).encode()
    after = 0
    while True:
        rows = plain(
            await tx.execute(
                select(
                    col(ImportReject.row_number), col(ImportReject.reason), col(ImportReject.cells)
                )
                .where(
                    col(ImportReject.import_id) == import_id, col(ImportReject.row_number) > after
                )
                .order_by(col(ImportReject.row_number))
                .limit(REJECTS_AT_ONCE)
            )
        )
        if not rows:
            return
        lines = [[number, reason, *cells] for number, reason, cells in rows]
        yield _lines(found.delimiter, lines).encode()
        after = rows[-1][0]


def _lines(delimiter: str, rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([quoted(str(cell)) for cell in row] for row in rows)
    return text.getvalue()
