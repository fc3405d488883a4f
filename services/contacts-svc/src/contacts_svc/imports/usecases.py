"""What is done with files of contacts: looked at, promised, and taken in chunk by chunk."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

import orjson
from sqlalchemy import delete, select
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.imports import columns, files
from contacts_svc.imports.errors import FileUnreadable
from contacts_svc.imports.model import Import, ImportReject, ImportState
from contacts_svc.imports.reading import Record, Sheet, Unreadable, open_sheet, read_records
from contacts_svc.imports.rows import Chunk, Reject, read_chunk
from contacts_svc.imports.schemas import Options, PreviewOut, PreviewRow
from contacts_svc.people import usecases as people
from contacts_svc.people.model import OnExisting, Origin, Saved, Verdict
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import Statement
from contacts_svc.settings import ContactsSettings
from kantis_contracts.contacts import PermissionState
from kantis_kit.ids import id_time
from kantis_kit.tx import Tx

CHUNK_TIMER = "imports.chunk"
FORGET_TIMER = "imports.forget"
KEEP_REJECTS = timedelta(days=30)
PREVIEW_ROWS = 5
PREVIEW_SEARCH = 5_000
_SHOWN = 200


async def _open(path: Path) -> Sheet:
    try:
        return await asyncio.to_thread(open_sheet, path)
    except Unreadable as error:
        raise FileUnreadable(f"{error}") from error


def _mapping(sheet: Sheet, options: Options) -> dict[str, str]:
    return {**columns.guess(sheet.header), **options.mapping}


def _problems(sheet: Sheet, mapping: dict[str, str], options: Options) -> list[str]:
    wrong = columns.problems(sheet.header, mapping)
    if (
        any(field.startswith(columns.PERMISSION) for field in mapping.values())
        and not options.permission_source
    ):
        wrong.append(
            "permission_source: say where these permissions were given and how, else leave their columns out"
        )
    return wrong


async def preview(path: Path, options: Options) -> PreviewOut:
    """Tell how a file would be read: its first rows, and the first that hold letters beyond ASCII.

    Raises:
        FileUnreadable: it is not a table.
    """
    sheet = await _open(path)

    def look() -> tuple[list[Record], list[Record]]:
        first: list[Record] = []
        letters: list[Record] = []
        rows = read_records(
            path, sheet.encoding, sheet.delimiter, offset=sheet.data_offset, number=1
        )
        for record in islice(rows, PREVIEW_SEARCH):
            if len(first) < PREVIEW_ROWS:
                first.append(record)
            if len(letters) < PREVIEW_ROWS and not all(cell.isascii() for cell in record.cells):
                letters.append(record)
        return first, letters

    first, letters = await asyncio.to_thread(look)
    mapping = _mapping(sheet, options)
    return PreviewOut(
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        mapping=mapping,
        unknown_columns=[column for column in sheet.header if not mapping.get(column)],
        problems=_problems(sheet, mapping, options),
        first_rows=[_preview_row(sheet, record) for record in first],
        rows_with_letters_beyond_ascii=[_preview_row(sheet, record) for record in letters],
    )


def _preview_row(sheet: Sheet, record: Record) -> PreviewRow:
    cells = {
        column: cell[:_SHOWN] for column, cell in zip(sheet.header, record.cells, strict=False)
    }
    return PreviewRow(row_number=record.number, cells=cells, problem=record.problem)


async def start(tx: Tx, import_id: UUID, path: Path, size: int, options: Options) -> Import:
    """Promise an import: from the commit on it is carried through, whatever stops in between.

    Raises:
        FileUnreadable: it is not a table, columns are missing, or permissions without a source.
    """
    sheet = await _open(path)
    mapping = _mapping(sheet, options)
    wrong = _problems(sheet, mapping, options)
    if wrong:
        errors = [{"in": "body", "field": "file", "message": one} for one in wrong]
        raise FileUnreadable("; ".join(wrong), errors=errors)
    found = Import(
        id=import_id,
        name=options.name,
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        mapping=mapping,
        header=sheet.header,
        country=options.country,
        source=options.source or options.name or "import",
        on_existing=options.on_existing.value,
        permission_source=options.permission_source,
        permission_text=options.permission_text,
        file_bytes=size,
        offset_bytes=sheet.data_offset,
        row_number=1,
        actor=tx.actor,
        started_at=tx.clock.now(),
    )
    tx.add(found)
    await tx.schedule(CHUNK_TIMER, str(import_id), tx.clock.now())
    return found


async def take_chunk(tx: Tx, import_id: UUID) -> None:
    """Take the next rows of an import, with their checkpoint, in this transaction; set the timer for those after them."""
    found: Import | None = await tx.scalar(
        select(Import)
        .where(col(Import.id) == import_id, col(Import.state) == ImportState.RUNNING)
        .with_for_update()
    )
    if found is None:
        return
    settings = tx.settings(ContactsSettings)
    try:
        chunk = await asyncio.to_thread(
            read_chunk,
            files.path_of(settings.data_dir, import_id),
            encoding=found.encoding,
            delimiter=found.delimiter,
            header=found.header,
            mapping=found.mapping,
            country=found.country,
            source=found.source,
            offset=found.offset_bytes,
            number=found.row_number,
            rows=settings.import_chunk_rows,
        )
    except FileNotFoundError:
        found.state, found.finished_at = ImportState.FAILED, tx.clock.now()
        found.problem = f"the file is gone; rows up to {found.row_number} were taken, send the file again for the rest"
        return
    await _save(tx, found, chunk)
    found.offset_bytes, found.row_number = chunk.end, chunk.number
    if chunk.is_last:
        found.state, found.finished_at = ImportState.DONE, tx.clock.now()
        # The file goes in a transaction of its own, after this one is certain.
        await tx.schedule(FORGET_TIMER, str(import_id), tx.clock.now())
    else:
        await tx.schedule(CHUNK_TIMER, str(import_id), tx.clock.now())


async def _save(tx: Tx, found: Import, chunk: Chunk) -> None:
    saved = await people.save_drafts(
        tx,
        chunk.drafts,
        existing=OnExisting(found.on_existing),
        origin=Origin(f"import:{found.actor}", found.id),
    )
    rejects = list(chunk.rejects)
    for draft, cells, one in zip(chunk.drafts, chunk.cells, saved, strict=True):
        if one.verdict is Verdict.REFUSED:
            rejects.append(Reject(draft.row or 0, one.reason, cells))
    found.created += sum(one.verdict is Verdict.CREATED for one in saved)
    found.updated += sum(one.verdict is Verdict.UPDATED for one in saved)
    found.unchanged += sum(one.verdict is Verdict.UNCHANGED for one in saved)
    found.rejected += len(rejects)
    if rejects:
        await tx.copy(
            "import_reject",
            ("import_id", "row_number", "reason", "cells"),
            [
                (found.id, one.number, one.reason, orjson.dumps(one.cells).decode())
                for one in rejects
            ],
        )
    statements = _statements(tx, found, chunk, saved)
    if statements:
        found.permissions += await permissions.record(tx, statements, only_new=True)


def _statements(tx: Tx, found: Import, chunk: Chunk, saved: Sequence[Saved]) -> list[Statement]:
    now = tx.clock.now()
    return [
        Statement(
            one.person_id,
            channel,
            purpose,
            PermissionState.GRANTED,
            found.permission_source,
            now,
            found.permission_text,
            evidence={"import_id": str(found.id), "row": draft.row},
        )
        for draft, granted, one in zip(chunk.drafts, chunk.granted, saved, strict=True)
        for channel, purpose in granted
        if one.person_id is not None
    ]


async def forget_file(tx: Tx, import_id: UUID) -> None:
    """Delete the file of an import that is done: what it said is in the register."""
    await files.forget(files.path_of(tx.settings(ContactsSettings).data_dir, import_id))


async def tidy(tx: Tx) -> None:
    """Forget rejects after 30 days, and files that no running import needs (its promise was never made)."""
    now = tx.clock.now()
    old = select(col(Import.id)).where(col(Import.finished_at) < now - KEEP_REJECTS)
    await tx.execute(delete(table_of(ImportReject)).where(col(ImportReject.import_id).in_(old)))
    waiting = await files.listed(tx.settings(ContactsSettings).data_dir)
    needed = set(
        await tx.scalars(
            select(col(Import.id)).where(
                col(Import.id).in_(list(waiting)), col(Import.state) == ImportState.RUNNING
            )
        )
    )
    for import_id, path in waiting.items():
        if import_id not in needed and id_time(import_id) < now - timedelta(days=1):
            await files.forget(path)
