"""Reads of imports."""

import csv
import io
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.imports.errors import ImportUnknown
from contacts_svc.imports.model import Import, ImportReject
from contacts_svc.imports.rows import quoted
from contacts_svc.imports.schemas import ImportOut
from kantis_kit.tx import ReadTx

MAX_REJECTS = 100_000


def import_out(found: Import) -> ImportOut:
    """Shape an import for the API."""
    done = found.state == "done"
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


async def rejects_as_csv(tx: ReadTx, import_id: UUID) -> str:
    """Return the rows that were not taken, each with its number and reason, as a file that can be mended and sent again.

    Raises:
        ImportUnknown: no such import.
    """
    found = await tx.get(Import, import_id)
    if found is None:
        raise ImportUnknown
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=found.delimiter, lineterminator="\r\n")
    writer.writerow(["row_number", "reason", *map(quoted, found.header)])
    rows = await tx.execute(
        select(col(ImportReject.row_number), col(ImportReject.reason), col(ImportReject.cells))
        .where(col(ImportReject.import_id) == import_id)
        .order_by(col(ImportReject.row_number))
        .limit(MAX_REJECTS)
    )
    for number, reason, cells in plain(rows):
        writer.writerow([number, quoted(reason), *(quoted(str(cell)) for cell in cells)])
    # With a byte order mark spreadsheets read æ, ø and å rightly.
    return "\ufeff" + text.getvalue()
