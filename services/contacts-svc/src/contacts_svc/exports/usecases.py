"""What is done with exports: ordered, written page by page, given away by a link that ends, and deleted."""

import asyncio
import csv
import io
import threading
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, literal, select
from sqlmodel import col

from contacts_svc.exports import files, queries, workbook
from contacts_svc.exports.errors import ExportUnfinished, ExportUnknown
from contacts_svc.exports.model import EVERYBODY, Export, ExportState
from contacts_svc.exports.schemas import ExportIn, LinkOut
from contacts_svc.segments import queries as segments
from contacts_svc.segments.errors import SegmentUnknown
from contacts_svc.settings import ContactsSettings
from kantis_kit.auth.links import LinkSigner
from kantis_kit.csv_rows import quoted
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

PAGE_TIMER = "exports.page"
FORGET_TIMER = "exports.forget"
ROWS_TIMER = "exports.rows"
ROWS = "rows"
"""How files are called of whose rows a workbook is to be made."""
PURPOSE = "export"
KEEP = timedelta(days=7)
LINK_LIVES = timedelta(hours=24)
PAGE = 2_000
_MAKER = 7_310_020
"""The advisory lock of the one process that makes workbooks, of however many run."""
_SIGN_OF_LIFE_SECONDS = 10.0


async def order_export(tx: Tx, body: ExportIn) -> Export:
    """Promise a file; from the commit on it is written, whatever stops in between.

    Raises:
        ExportInvalid: a field is unknown, or holds identity numbers.
        SegmentUnknown: no such segment.
    """
    fields = body.fields or list(queries.COMMON)
    await queries.check_fields(tx, fields)
    if body.segment_id is not None:
        await segments.get_segment(tx, body.segment_id)
    now = tx.clock.now()
    found = Export(
        id=new_id(),
        name=body.name,
        kind=body.kind,
        segment_id=body.segment_id,
        fields=fields,
        delimiter=body.delimiter,
        actor=tx.actor,
        created_at=now,
        expires_at=now + KEEP,
    )
    tx.add(found)
    tx.audit(
        "exports.ordered", str(found.id), segment_id=str(body.segment_id or "all"), fields=fields
    )
    await tx.schedule(PAGE_TIMER, str(found.id), now)
    await tx.schedule(FORGET_TIMER, str(found.id), found.expires_at)
    return found


async def write_page(tx: Tx, export_id: UUID) -> None:
    """Write the next page, with its checkpoint in this transaction; set the timer for the one after it."""
    found = await _lock(tx, export_id)
    if found is None or found.state != ExportState.RUNNING:
        return
    try:
        rows, last_id = await queries.read_rows(tx, found, limit=PAGE)
    except SegmentUnknown:
        found.state, found.finished_at = ExportState.FAILED, tx.clock.now()
        found.problem = "the segment was closed before the file was written"
        return
    is_book = found.kind == "xlsx"
    data = await _book_rows(tx, found, rows) if is_book else _table_rows(found, rows)
    path = _path(tx, export_id, ROWS if is_book else found.kind)
    found.file_bytes = await files.append(path, found.file_bytes, data)
    found.rows += len(rows)
    if last_id is not None:
        found.last_id = last_id
        await tx.schedule(PAGE_TIMER, str(export_id), tx.clock.now())
    elif is_book:
        found.last_id = EVERYBODY
    else:
        found.state, found.finished_at = ExportState.DONE, tx.clock.now()


def _path(tx: Tx, export_id: UUID, kind: str) -> Path:
    return files.path_of(tx.settings(ContactsSettings).data_dir, export_id, kind)


async def _book_rows(tx: Tx, found: Export, rows: Sequence[Sequence[str]]) -> bytes:
    start = b""
    if not found.file_bytes:
        start = workbook.head(found.fields, await queries.numeric_columns(tx, found.fields))
    return start + workbook.lines(rows)


def _table_rows(found: Export, rows: Sequence[Sequence[str]]) -> bytes:
    # With a byte order mark spreadsheets read æ, ø and å rightly.
    start = "" if found.file_bytes else "\ufeff" + _lines(found, [found.fields])
    return (start + _lines(found, rows)).encode()


async def make_workbook(tx: Tx) -> bool:
    """Make the next workbook whose rows are all there; return whether there was one.

    One process of all makes one at a time. It is begun anew after a crash. The export is not locked meanwhile, so that
    it can be deleted.
    """
    waiting = await queries.find_waiting(tx)
    if waiting is None or not await tx.scalar(select(func.pg_try_advisory_xact_lock(_MAKER))):
        return False
    size = await _made(tx, _path(tx, waiting, ROWS), _path(tx, waiting, "xlsx"))
    found = await _lock(tx, waiting)
    if found is None or found.state != ExportState.RUNNING:
        await tx.schedule(FORGET_TIMER, str(waiting), tx.clock.now())
    elif size is None:
        found.state, found.finished_at = ExportState.FAILED, tx.clock.now()
        found.problem = "the rows are gone from the data folder; order the export again"
    else:
        found.state, found.finished_at, found.file_bytes = ExportState.DONE, tx.clock.now(), size
        await tx.schedule(ROWS_TIMER, str(waiting), tx.clock.now())
    return True


async def _made(tx: Tx, source: Path, target: Path) -> int | None:
    stop = threading.Event()
    making = asyncio.to_thread(workbook.write, source, target, is_stopped=stop.is_set)
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(making)
            # A transaction in which nothing happens for a minute is ended by the database.
            while not (await asyncio.wait([task], timeout=_SIGN_OF_LIFE_SECONDS))[0]:
                await tx.execute(select(literal(1)))
    finally:
        stop.set()  # a process that ends does not wait for it
    return task.result()


async def forget_rows(tx: Tx, export_id: UUID) -> None:
    """Delete the rows from which a workbook was made."""
    await files.forget(_path(tx, export_id, ROWS))


def _lines(found: Export, rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=found.delimiter, lineterminator="\r\n")
    # Phone numbers begin with a plus sign: they are quoted like any cell that a spreadsheet would count with.
    writer.writerows([quoted(cell) for cell in row] for row in rows)
    return text.getvalue()


async def make_link(tx: Tx, export_id: UUID) -> LinkOut:
    """Return a link by which the file can be fetched for a day; who asked for it is in the audit log.

    Raises:
        ExportUnknown: no such export.
        ExportUnfinished: its file is not written yet, or is gone.
    """
    found = await _lock(tx, export_id)
    if found is None:
        raise ExportUnknown
    if found.state != ExportState.DONE:
        raise ExportUnfinished(f"The export is {found.state}: see GET /v1/exports/{export_id}")
    expires_at = min(tx.clock.now() + LINK_LIVES, found.expires_at)
    token = tx.use(LinkSigner).make(PURPOSE, export_id.bytes, expires_at=expires_at)
    tx.audit("exports.linked", str(export_id), expires_at=expires_at.isoformat())
    base = tx.settings(ContactsSettings).public_url
    return LinkOut(url=f"{base}/p/exports/{token}", expires_at=expires_at)


async def forget_export(tx: Tx, export_id: UUID) -> None:
    """Delete the file, also of an export that is being written. Raises `ExportUnknown`."""
    found = await _lock(tx, export_id)
    if found is None:
        raise ExportUnknown
    if found.state != ExportState.FORGOTTEN:
        found.state = ExportState.FORGOTTEN
        found.finished_at = found.finished_at or tx.clock.now()
        # The file goes in a transaction of its own, after this one is certain.
        await tx.schedule(FORGET_TIMER, str(export_id), tx.clock.now())


async def forget_file(tx: Tx, export_id: UUID) -> None:
    """Delete the file of an export whose time is over, or that was deleted."""
    found = await _lock(tx, export_id)
    if found is not None:
        found.state = ExportState.FORGOTTEN
        found.finished_at = found.finished_at or tx.clock.now()
    for kind in ("csv", "xlsx", ROWS):
        await files.forget(_path(tx, export_id, kind))
    await files.forget_folder(workbook.folder_of(_path(tx, export_id, "xlsx")))


async def _lock(tx: Tx, export_id: UUID) -> Export | None:
    found: Export | None = await tx.scalar(
        select(Export).where(col(Export.id) == export_id).with_for_update()
    )
    return found
