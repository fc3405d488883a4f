"""Files are taken in, chunk by chunk, each with its checkpoint in one transaction.

Rows whose addresses nobody is known to have are written as they are, by COPY. The others are decided on one by one: each
may change somebody, and may depend on the rows before it.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import orjson
from sqlalchemy import Boolean, Text, Uuid, delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.fields import queries as fields
from contacts_svc.fields.model import CustomField
from contacts_svc.imports import files
from contacts_svc.imports.chunks import Chunk, Rows, read_chunk
from contacts_svc.imports.fresh import COLUMNS, PERSONS_FIRST, Making
from contacts_svc.imports.model import (
    Import,
    ImportReject,
    ImportState,
    ImportTouched,
)
from contacts_svc.imports.rows import Reading, Reject, kept_cells
from contacts_svc.imports.schemas import Policy
from contacts_svc.imports.usecases.newest import keep_younger, note_ages
from contacts_svc.imports.usecases.trusted import keep_better
from contacts_svc.lists import add_to_list
from contacts_svc.people import queries as people_queries
from contacts_svc.people import usecases as people
from contacts_svc.people.model import OnExisting, Origin, Saved, Verdict
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import Statement
from contacts_svc.settings import ContactsSettings
from kantis_contracts.contacts import PermissionState
from kantis_kit.db.sets import column_set
from kantis_kit.files import forget
from kantis_kit.ids import id_time
from kantis_kit.tx import ReadTx, Tx

WAITS = "imports.chunk"
"""A timer that nobody fires: the mark of an import that is not through, as what waits is counted by its timers."""
NOTIFY_CHANNEL = "kantis_imports"
"""Wakes the loops that take rows."""
FORGET_TIMER = "imports.forget"
AT_ONCE = 500
"""Rows that are decided on without giving others a turn."""
KEEP_REJECTS = timedelta(days=30)


async def take_chunk(
    tx: Tx,
    import_id: UUID,
    *,
    ready: Chunk | None = None,
    ahead: Callable[[Callable[[], Chunk]], None] | None = None,
    carefully: bool = False,
) -> Chunk | None:
    """Take the next rows of an import, with their checkpoint, in this transaction; return them.

    None when nobody needs to take any: the import has ended, or another process takes them.

    Args:
        tx: The transaction of these rows.
        import_id: Whose rows.
        ready: Rows that were read before; used when they are those that come next.
        ahead: Is given what reads the rows after these, to be run while these are written.
        carefully: Take nobody for new before the register has been asked address by address.
    """
    found: Import | None = await tx.scalar(
        select(Import)
        .where(col(Import.id) == import_id, col(Import.state) == ImportState.RUNNING)
        .with_for_update(skip_locked=True)
    )
    if found is None:
        return None
    chunk = ready
    if chunk is None or (chunk.start, chunk.first) != (found.offset_bytes, found.row_number):
        try:
            chunk = await asyncio.to_thread(await _next_rows(tx, found))
        except FileNotFoundError:
            found.state, found.finished_at = ImportState.FAILED, tx.clock.now()
            found.problem = f"the file is gone; rows up to {found.row_number} were taken, send the file again for the rest"
            return None
    if ahead is not None and not chunk.is_last:
        ahead(await _next_rows(tx, found, chunk))
    await _save(tx, found, chunk, carefully=carefully)
    found.offset_bytes, found.row_number = chunk.end, chunk.number
    if chunk.is_last:
        found.state, found.finished_at = ImportState.DONE, tx.clock.now()
        # The file goes in a transaction of its own, after this one is certain.
        await tx.schedule(FORGET_TIMER, str(import_id), tx.clock.now())
    return chunk


async def _next_rows(tx: ReadTx, found: Import, after: Chunk | None = None) -> Callable[[], Chunk]:
    """Return what reads the rows that come next, or those after them; to be run beside the event loop."""
    settings = tx.settings(ContactsSettings)
    making = Making(
        str(found.id),
        f"import:{found.actor}",
        tx.clock.now().isoformat(),
        await fields.load(tx),
        str(found.list_id or ""),
        found.permission_source,
        found.permission_text,
    )
    return partial(
        read_chunk,
        files.path_of(settings.data_dir, found.id),
        _reading(found, making.declared),
        making,
        offset=after.end if after else found.offset_bytes,
        number=after.number if after else found.row_number,
        rows=settings.import_chunk_rows,
    )


async def give_up(tx: Tx, import_id: UUID, problem: str) -> None:
    """Say that an import cannot go on; what was taken stays, and the file can be sent again."""
    found: Import | None = await tx.scalar(
        select(Import)
        .where(col(Import.id) == import_id, col(Import.state) == ImportState.RUNNING)
        .with_for_update()
    )
    if found is not None:
        found.state, found.finished_at = ImportState.FAILED, tx.clock.now()
        found.problem = f"the rows after row {found.row_number} could not be taken: {problem}"


def _reading(found: Import, declared: Mapping[str, CustomField]) -> Reading:
    return Reading(
        encoding=found.encoding,
        delimiter=found.delimiter,
        header=found.header,
        mapping=found.mapping,
        formats=found.formats,
        declared=declared,
        country=found.country,
        source=found.source,
        as_of=found.as_of or found.started_at,
        keeps=_fields_of(found, Policy.KEEP),
        taken_at=found.started_at,
    )


async def _save(tx: Tx, found: Import, chunk: Chunk, *, carefully: bool) -> None:
    everybody = range(len(chunk.rows))
    known = set(everybody) if carefully else await _find_known(tx, chunk)
    rejects = list(chunk.rejects)
    one_by_one = sorted(known, key=lambda index: chunk.rows[index][0])
    for start in range(0, len(one_by_one), AT_ONCE):
        part = chunk.part(one_by_one[start : start + AT_ONCE])
        rejects += await _save_known(tx, found, part)
    if len(known) < len(everybody):
        await _save_fresh(tx, found, chunk, known)
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


async def _find_known(tx: Tx, chunk: Chunk) -> set[int]:
    """Return the drafts that are not surely of somebody new: one of their addresses is known here, or given twice."""
    known = set(chunk.shared)
    found = await people_queries.find_known(tx, chunk.owners)
    if await people_queries.has_suppressed(tx):
        keys = [(kind, value) for kind, values in chunk.owners.items() for value in values]
        found |= await people_queries.find_suppressed_keys(tx, keys)
    known.update(chunk.owners[kind][value] for kind, value in found)
    return known


async def _save_fresh(tx: Tx, found: Import, chunk: Chunk, known: Collection[int]) -> None:
    new = chunk.ready
    if known != chunk.shared:
        new = await asyncio.to_thread(chunk.fresh.payloads, known)
    await tx.fetch(PERSONS_FIRST, "on")
    for table, columns in COLUMNS.items():
        if table in new.rows:
            await tx.copy_text(table, columns, new.rows[table])
    await tx.fetch(PERSONS_FIRST, "off")
    tx.stage(new.cards, new.permissions)
    found.created += len(new.ids)
    found.permissions += len(new.permissions.items)
    if found.list_id is not None:
        found.listed += len(new.ids)
    newest = _fields_of(found, Policy.NEWEST)
    if newest:
        rest = chunk.part(one for one in range(len(chunk.rows)) if one not in known)
        saved = [Saved(Verdict.CREATED, UUID(one)) for one in new.ids]
        await note_ages(tx, found.id, rest, saved, newest)


def _fields_of(found: Import, wanted: Policy) -> frozenset[str]:
    return frozenset(field for field, policy in found.policies.items() if policy == wanted)


async def _save_known(tx: Tx, found: Import, part: Rows) -> list[Reject]:
    """Save drafts one of whose addresses is known, or given twice; return those that the register refuses."""
    newest, trusted = _fields_of(found, Policy.NEWEST), _fields_of(found, Policy.SOURCE)
    if newest:
        await keep_younger(tx, part, newest)
    if trusted:
        await keep_better(tx, part, trusted, found.source)
    saved = await people.save_drafts(
        tx,
        part.drafts,
        existing=OnExisting(found.on_existing),
        origin=Origin(f"import:{found.actor}", found.id),
    )
    found.created += sum(one.verdict is Verdict.CREATED for one in saved)
    found.updated += sum(one.verdict is Verdict.UPDATED for one in saved)
    found.unchanged += sum(one.verdict is Verdict.UNCHANGED for one in saved)
    if newest:
        await note_ages(tx, found.id, part, saved, newest)
    if found.list_id is not None:
        found.listed += await add_to_list(
            tx,
            found.list_id,
            [one.person_id for one in saved if one.person_id is not None],
            source=f"import:{found.id}",
        )
    statements = _statements(tx, found, part, saved)
    if statements:
        found.permissions += await permissions.record(tx, statements, only_new=True)
    await _note_touched(tx, found, part, saved)
    return [
        Reject(draft.row or 0, one.reason, kept_cells(cells, len(found.header)))
        for draft, cells, one in zip(part.drafts, part.cells, saved, strict=True)
        if one.verdict is Verdict.REFUSED
    ]


async def _note_touched(tx: Tx, found: Import, part: Rows, saved: Sequence[Saved]) -> None:
    """Remember whom the import has made or changed, put on a list or granted something."""
    made: dict[UUID, bool] = {}
    for one, granted in zip(saved, part.granted, strict=True):
        is_met = one.verdict is Verdict.UNCHANGED and (granted or found.list_id)
        if one.person_id is not None and (
            is_met or one.verdict in (Verdict.CREATED, Verdict.UPDATED)
        ):
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
            select(*rows.c, literal(found.id, Uuid()), literal(value=False), literal("", Text())),
        )
        .on_conflict_do_nothing()
    )


def _statements(tx: Tx, found: Import, part: Rows, saved: Sequence[Saved]) -> list[Statement]:
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
        for draft, granted, one in zip(part.drafts, part.granted, saved, strict=True)
        for channel, purpose in granted
        if one.person_id is not None
    ]


async def forget_file(tx: Tx, import_id: UUID) -> None:
    """Delete the file of an import that is done: what it said is in the register."""
    await forget(files.path_of(tx.settings(ContactsSettings).data_dir, import_id))


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
            await forget(path)
