"""What contacts itself forgets: every table that names a person has a fate here, and a test sees to it."""

import asyncio
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import Text, cast, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.exports import usecases as exports
from contacts_svc.exports.model import Export, ExportState
from contacts_svc.facts import usecases as facts
from contacts_svc.fields import usecases as fields
from contacts_svc.imports.model import ImportReject
from contacts_svc.insights import usecases as insights
from contacts_svc.intake import usecases as intake
from contacts_svc.interactions import usecases as interactions
from contacts_svc.organisations import usecases as organisations
from contacts_svc.people import usecases as people
from contacts_svc.people.model import Identifier, Person, PersonChange
from contacts_svc.people.queries import any_of
from contacts_svc.permissions import usecases as permissions
from contacts_svc.quality import keeping, moving
from contacts_svc.quality.model import DuplicatePair
from contacts_svc.settings import ContactsSettings
from contacts_svc.value import usecases as value
from kantis_contracts.privacy import PERSONAL
from kantis_kit import forgetting
from kantis_kit.forgetting import Counts
from kantis_kit.scrubbing import scrub
from kantis_kit.tx import Tx

KEPT = {
    "permission_ledger": "proof of what was allowed when messages were sent; names nobody",
    "permission_state": "the no that every other service goes by; names nobody",
    "person_change": "who changed something when; what was changed is emptied",
    "erasure": "that and when the person was forgotten; names nobody",
}
"""Tables that stay, and why."""
DERIVED = frozenset({"touched_person", "segment_member", "segment_due"})
"""Ids alone, which follow by themselves from the rest."""
_SHORTEST_WORD = 6
_PART = 1 << 20


def doomed() -> list[str]:
    """Return the tables whose rows about a person are deleted."""
    return [one.name for one in moving.tables() if one.name not in KEPT | dict.fromkeys(DERIVED)]


async def forget(tx: Tx, person: Person, merged_ids: Sequence[UUID]) -> dict[str, int]:
    """Delete what contacts holds of a person; return how many rows of which kind that were.

    The person's own row, the ledger and what is announced are the caller's.
    """
    ids = [person.id, *merged_ids]
    words = await _words(tx, person, ids)
    removed = await _count(tx, ids)
    for id_ in ids:
        await permissions.forget_wishes(tx, id_)
        await intake.forget_leads(tx, id_)
    await organisations.forget_links(tx, ids)
    await fields.forget_values(tx, ids)
    await people.forget_addresses(tx, ids)
    for slice_ in (facts, interactions, insights, value):
        await slice_.forget(tx, ids)
    removed["import_reject"] = await _empty_rejects(tx, words)
    removed["export"] = await _forget_exports(tx, [*words, *map(str, ids)])
    removed |= await scrub(tx, ids, PERSONAL)
    # What takes long is done by now: merges wait for whoever holds this.
    await keeping.hold(tx)
    await _delete_rows(tx, ids, Counts())
    pair = table_of(DuplicatePair)
    await tx.execute(
        delete(pair).where((pair.c.one_id == any_of(ids)) | (pair.c.other_id == any_of(ids)))
    )
    await tx.execute(
        update(table_of(PersonChange))
        .where(col(PersonChange.person_id) == any_of(ids))
        .values(changes=literal({}, JSONB()), reason="")
    )
    return {kind: rows for kind, rows in sorted(removed.items()) if rows}


async def sweep(tx: Tx, *, is_whole: bool = False) -> None:
    """Delete what an event that came late has written of persons who are forgotten: lately, or ever."""
    await forgetting.sweep(tx, empty=_delete_rows, blanks=PERSONAL, is_whole=is_whole)


async def _delete_rows(tx: Tx, ids: Sequence[UUID], counts: Counts) -> None:
    gone = set(doomed())
    tables = (table for table in reversed(moving.tables()) if table.name in gone)
    await counts.delete(tx, tables, ids)


async def _words(tx: Tx, person: Person, ids: Sequence[UUID]) -> list[str]:
    """Return by which words the person is found where no id stands."""
    rows = await tx.execute(
        select(col(Identifier.value), col(Identifier.as_given)).where(
            col(Identifier.person_id) == any_of(ids)
        )
    )
    found = {word for row in plain(rows) for word in row}
    found |= {word for word in (person.full_name,) if " " in word}
    return sorted(word.lower() for word in found if len(word) >= _SHORTEST_WORD)


async def _count(tx: Tx, ids: Sequence[UUID]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for table in moving.tables():
        if table.name not in KEPT and table.name not in DERIVED:
            counted[table.name] = await tx.scalar(
                select(func.count()).select_from(table).where(table.c.person_id == any_of(ids))
            )
    return counted


async def _empty_rejects(tx: Tx, words: Iterable[str]) -> int:
    """Empty rows of files that could not be taken and name the person."""
    reject = table_of(ImportReject)
    text = func.lower(cast(reject.c.cells, Text))
    naming = [func.strpos(text, word) > 0 for word in words]
    if not naming:
        return 0
    rows = await tx.scalars(
        update(reject)
        .where(or_(*naming))
        .values(cells=literal([], JSONB()))
        .returning(reject.c.row_number)
    )
    return len(rows.all())


async def _forget_exports(tx: Tx, words: Sequence[str]) -> int:
    """Delete exported files in which the person stands; whoever needs one orders it again."""
    folder = tx.settings(ContactsSettings).data_dir / "exports"
    named = await asyncio.to_thread(_files_naming, folder, words)
    rows = await tx.scalars(
        select(col(Export.id))
        .where(col(Export.id) == any_of(named), col(Export.state) != ExportState.FORGOTTEN)
        .order_by(col(Export.id))
    )
    found = list(rows)
    for export_id in found:
        await exports.forget_export(tx, export_id)
    return len(found)


def _files_naming(folder: Path, words: Sequence[str]) -> set[UUID]:
    found = set()
    for path in folder.glob("*.*"):
        try:
            export_id = UUID(path.name.partition(".")[0])
            if any(_is_in(part, words) for part in _parts(path)):
                found.add(export_id)
        except (OSError, ValueError, zipfile.BadZipFile):
            continue  # not ours, gone meanwhile, or not complete yet: its rows lie beside it
    return found


def _parts(path: Path) -> Iterable[bytes]:
    """Yield a file in parts that overlap, so that no word is cut; a workbook unpacked."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            for name in book.namelist():
                with book.open(name) as member:
                    yield from _overlapping(iter(lambda: member.read(_PART), b""))
    else:
        with path.open("rb") as file:
            yield from _overlapping(iter(lambda: file.read(_PART), b""))


def _overlapping(parts: Iterable[bytes]) -> Iterable[bytes]:
    left = b""
    for part in parts:
        yield left + part
        left = part[-1_000:]


def _is_in(part: bytes, words: Sequence[str]) -> bool:
    text = part.decode(errors="replace").lower()
    return any(word in text for word in words)
