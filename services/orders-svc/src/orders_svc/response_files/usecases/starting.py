"""Mappings are declared; files are looked at and promised."""

import asyncio
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from kantis_kit.tx import ReadTx, Tx
from orders_svc.response_files.errors import FileCut, FileUnreadable
from orders_svc.response_files.lines import Line, Opened, Unreadable, open_file, read_lines
from orders_svc.response_files.model import FileState, Mapping, ResponseFile
from orders_svc.response_files.queries import get_mapping
from orders_svc.response_files.rows import Refused, doubts, row_of, said
from orders_svc.response_files.schemas import MappingIn, PreviewOut, PreviewRow
from orders_svc.response_files.usecases.taking import TAKE_TIMER

PREVIEW_ROWS = 5
_LOCK_DIGITS = 15


async def declare(tx: Tx, name: str, body: MappingIn) -> Mapping:
    """Say how the files of a sender are read, or change it; files that are being taken go on as they began."""
    new = insert(Mapping).values(
        name=name,
        version=1,
        reading=body.model_dump(mode="json"),
        changed_by=tx.actor,
        changed_at=tx.clock.now(),
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=[col(Mapping.name)],
            set_={
                "version": col(Mapping.version) + 1,
                **{key: new.excluded[key] for key in ("reading", "changed_by", "changed_at")},
            },
        )
    )
    return await get_mapping(tx, name)


async def preview(tx: ReadTx, path: Path, mapping_name: str) -> PreviewOut:
    """Tell how a file would be read: its first rows, and what is wrong with them.

    Raises:
        MappingNotFound: no mapping has this name.
        FileUnreadable: the file is not what its mapping says.
    """
    found = await get_mapping(tx, mapping_name)
    mapping = MappingIn.model_validate(found.reading)
    opened = await _open(path, mapping)
    lines = await asyncio.to_thread(
        read_lines,
        path,
        mapping,
        opened.header,
        offset=opened.offset,
        number=opened.number,
        rows=PREVIEW_ROWS,
    )
    rows = [_preview_row(tx, line, mapping) for line in lines]
    return PreviewOut(
        rows=opened.rows,
        header=opened.header,
        first_rows=rows,
        problems=[f"row {row.row_number}: {row.problem}" for row in rows if row.problem],
    )


def _preview_row(tx: ReadTx, line: Line, mapping: MappingIn) -> PreviewRow:
    read: dict[str, str] = {}
    unsure: dict[str, float] = {}
    problem = line.problem
    if not problem and not line.is_blank:
        read = said(line, mapping)
        try:
            unsure = doubts(line, mapping, read)
            row_of(read, mapping, now=tx.clock.now())
        except Refused as refusal:
            problem = str(refusal)
    return PreviewRow(row_number=line.number, read=read, doubts=unsure, problem=problem)


async def start(
    tx: Tx,
    file_id: UUID,
    path: Path,
    sha256: str,
    mapping_name: str,
    *,
    name: str,
    rows: int | None,
) -> tuple[ResponseFile, bool]:
    """Promise a file: from the commit on it is carried through, whatever stops in between.

    The same file by the same mapping is not taken twice: the earlier one is returned, with False.

    Raises:
        MappingNotFound: no mapping has this name.
        FileUnreadable: the file is not what its mapping says.
        FileCut: it has not as many rows as its sender has counted.
    """
    found = await get_mapping(tx, mapping_name)
    mapping = MappingIn.model_validate(found.reading)
    opened = await _open(path, mapping)
    if rows is not None and rows != opened.rows:
        raise FileCut(
            f"rows: the sender counted {rows} and the file has {opened.rows}: it was cut, or is another file. Nothing of"
            " it was taken; get it from the sender again",
            counted=rows,
            rows=opened.rows,
        )
    earlier = await _find_earlier(tx, sha256, mapping_name)
    if earlier is not None:
        return earlier, False
    file = ResponseFile(
        file_id=file_id,
        name=name or mapping_name,
        mapping=mapping_name,
        reading=found.reading,
        header=opened.header,
        file_sha256=sha256,
        file_bytes=opened.size,
        offset_bytes=opened.offset,
        row_number=opened.number,
        sent_by=tx.actor,
        started_at=tx.clock.now(),
    )
    tx.add(file)
    await tx.schedule(TAKE_TIMER, str(file_id), tx.clock.now())
    return file, True


async def _open(path: Path, mapping: MappingIn) -> Opened:
    try:
        return await asyncio.to_thread(open_file, path, mapping)
    except Unreadable as error:
        raise FileUnreadable(f"{error}") from error


async def _find_earlier(tx: Tx, sha256: str, mapping_name: str) -> ResponseFile | None:
    """Return what took this file in the same way; two that come at once wait for each other."""
    await tx.execute(select(func.pg_advisory_xact_lock(int(sha256[:_LOCK_DIGITS], 16))))
    found: ResponseFile | None = await tx.scalar(
        select(ResponseFile)
        .where(
            col(ResponseFile.file_sha256) == sha256,
            col(ResponseFile.mapping) == mapping_name,
            col(ResponseFile.state) != FileState.FAILED.value,
        )
        .order_by(col(ResponseFile.file_id).desc())
        .limit(1)
    )
    return found
