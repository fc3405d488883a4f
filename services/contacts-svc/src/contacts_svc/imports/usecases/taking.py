"""Files are taken in, chunk by chunk, each with its checkpoint in one transaction."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import orjson
from sqlalchemy import Boolean, Text, Uuid, delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.fields import queries as fields
from contacts_svc.imports import files
from contacts_svc.imports.model import (
    Import,
    ImportReject,
    ImportState,
    ImportTouched,
)
from contacts_svc.imports.rows import Chunk, Reading, Reject, kept_cells, read_chunk
from contacts_svc.imports.schemas import Policy
from contacts_svc.imports.usecases.newest import keep_younger, note_ages
from contacts_svc.lists import add_to_list
from contacts_svc.people import usecases as people
from contacts_svc.people.model import OnExisting, Origin, Saved, Verdict
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import Statement
from contacts_svc.settings import ContactsSettings
from kantis_contracts.contacts import PermissionState
from kantis_kit.db.sets import column_set
from kantis_kit.ids import id_time
from kantis_kit.tx import Tx

CHUNK_TIMER = "imports.chunk"
FORGET_TIMER = "imports.forget"
KEEP_REJECTS = timedelta(days=30)


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
            await _reading(tx, found),
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


async def _reading(tx: Tx, found: Import) -> Reading:
    return Reading(
        encoding=found.encoding,
        delimiter=found.delimiter,
        header=found.header,
        mapping=found.mapping,
        formats=found.formats,
        declared=await fields.load(tx),
        country=found.country,
        source=found.source,
        as_of=found.as_of or found.started_at,
        keeps=frozenset(field for field, policy in found.policies.items() if policy == Policy.KEEP),
    )


async def _save(tx: Tx, found: Import, chunk: Chunk) -> None:
    newest = {field for field, policy in found.policies.items() if policy == Policy.NEWEST}
    if newest:
        await keep_younger(tx, chunk, newest)
    saved = await people.save_drafts(
        tx,
        chunk.drafts,
        existing=OnExisting(found.on_existing),
        origin=Origin(f"import:{found.actor}", found.id),
    )
    rejects = list(chunk.rejects)
    for draft, cells, one in zip(chunk.drafts, chunk.cells, saved, strict=True):
        if one.verdict is Verdict.REFUSED:
            kept = kept_cells(cells, len(found.header))
            rejects.append(Reject(draft.row or 0, one.reason, kept))
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
    if newest:
        await note_ages(tx, found.id, chunk, saved, newest)
    await _note_touched(tx, found.id, saved)
    if found.list_id is not None:
        found.listed += await add_to_list(
            tx,
            found.list_id,
            [one.person_id for one in saved if one.person_id is not None],
            source=f"import:{found.id}",
        )
    statements = _statements(tx, found, chunk, saved)
    if statements:
        found.permissions += await permissions.record(tx, statements, only_new=True)


async def _note_touched(tx: Tx, import_id: UUID, saved: Sequence[Saved]) -> None:
    """Remember whom the import has made or changed."""
    made: dict[UUID, bool] = {}
    for one in saved:
        if one.person_id is not None and one.verdict in (Verdict.CREATED, Verdict.UPDATED):
            made[one.person_id] = made.get(one.person_id, False) or one.verdict is Verdict.CREATED
    if not made:
        return
    rows = column_set(
        "made", {"person_id": (Uuid(), list(made)), "was_created": (Boolean(), list(made.values()))}
    )
    await tx.execute(
        insert(table_of(ImportTouched))
        .from_select(
            ["person_id", "was_created", "import_id", "is_settled", "kept_because"],
            select(*rows.c, literal(import_id, Uuid()), literal(value=False), literal("", Text())),
        )
        .on_conflict_do_nothing()
    )


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
