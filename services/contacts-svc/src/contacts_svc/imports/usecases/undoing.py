"""A whole import is taken back: what nobody has changed or used since; the rest is listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, delete, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.fields import queries as fields
from contacts_svc.fields import usecases as field_values
from contacts_svc.fields.model import CustomField
from contacts_svc.imports.columns import CUSTOM
from contacts_svc.imports.errors import ImportUnknown
from contacts_svc.imports.model import FieldSource, Import, ImportState, ImportTouched
from contacts_svc.imports.usecases.named import named_since
from contacts_svc.lists import ListMember
from contacts_svc.people import queries as people_queries
from contacts_svc.people import usecases as people
from contacts_svc.people.model import (
    FIELDS,
    NAMES,
    Identifier,
    Origin,
    Person,
    PersonAlias,
    PersonChange,
    PostalAddress,
)
from contacts_svc.people.usecases.save import history_row, set_values, write_history
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import LedgerEntry, PermissionNow, Statement
from contacts_svc.touched import Family, touch
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, Purpose
from kantis_kit.db.sets import column_set
from kantis_kit.tx import Tx

UNDO_TIMER = "imports.undo"
BATCH = 500


async def undo(tx: Tx, import_id: UUID) -> Import:
    """Promise that an import is taken back; one that runs is stopped first. Raises `ImportUnknown`."""
    found: Import | None = await tx.scalar(
        select(Import).where(col(Import.id) == import_id).with_for_update()
    )
    if found is None:
        raise ImportUnknown
    if found.state in (ImportState.UNDOING, ImportState.UNDONE):
        return found
    found.state = ImportState.UNDOING
    found.finished_at = found.finished_at or tx.clock.now()
    tx.audit("imports.undone", str(import_id), name=found.name)
    await tx.schedule(UNDO_TIMER, str(import_id), tx.clock.now())
    return found


@dataclass(slots=True)
class _Story:
    """What the history tells of one person: this import's changes, and those of others after the first of them."""

    mine: list[PersonChange] = field(default_factory=list)
    later: list[PersonChange] = field(default_factory=list)

    def changed(self) -> dict[str, tuple[Any, Any]]:
        """Return per field what it was before this import, and what the import made of it."""
        told: dict[str, tuple[Any, Any]] = {}
        for one in self.mine:
            for name, (before, after) in one.changes.items():
                told[name] = (told[name][0] if name in told else before, after)
        return told


async def take_back(tx: Tx, import_id: UUID) -> None:
    """Decide on the next persons whom an import has touched; set the timer for those after them."""
    found: Import | None = await tx.scalar(
        select(Import)
        .where(col(Import.id) == import_id, col(Import.state) == ImportState.UNDOING)
        .with_for_update()
    )
    if found is None:
        return
    rows = plain(
        await tx.execute(
            select(col(ImportTouched.person_id), col(ImportTouched.was_created))
            .where(col(ImportTouched.import_id) == import_id, ~col(ImportTouched.is_settled))
            .order_by(col(ImportTouched.person_id))
            .limit(BATCH)
        )
    )
    if rows:
        kept = await _settle(tx, found, dict(rows))
        found.kept += len(kept)
        found.undone += len(rows) - len(kept)
        await tx.schedule(UNDO_TIMER, str(import_id), tx.clock.now())
    else:
        found.state, found.undone_at = ImportState.UNDONE, tx.clock.now()


async def _settle(tx: Tx, found: Import, chosen: Mapping[UUID, bool]) -> dict[UUID, str]:
    ids = sorted(chosen)
    persons = {
        one.id: one
        for one in await tx.scalars(
            select(Person)
            .where(col(Person.id) == people_queries.any_of(ids))
            .order_by(col(Person.id))
            .with_for_update()
        )
    }
    stories = await _stories(tx, found.id, ids)
    used = await named_since(tx, [one for one in ids if chosen[one]])
    alias = table_of(PersonAlias)
    leads = select(alias.c.merged_id, alias.c.known_id).where(
        alias.c.merged_id == people_queries.any_of(ids)
    )
    kept: dict[UUID, str] = {
        merged_id: f"merged into {known_id}"
        for merged_id, known_id in plain(await tx.execute(leads))
    }
    gone: dict[UUID, Person] = {}
    back: dict[UUID, Person] = {}
    for person_id in ids:
        person, story = persons.get(person_id), stories.get(person_id, _Story())
        if person is None or person.is_erased:
            continue
        if chosen[person_id]:
            reason = _kept_person(story, used.get(person_id, []))
            if reason:
                kept[person_id] = reason
            else:
                gone[person_id] = person
        else:
            back[person_id] = person
    await _take_permissions(tx, found, [one for one in ids if one not in kept])
    await _leave_list(tx, found, [one for one in ids if one not in kept])
    await _forget(tx, gone)
    kept |= await _restore(tx, found, back, stories)
    await _note(tx, found.id, ids, kept)
    return kept


async def _stories(tx: Tx, import_id: UUID, ids: Sequence[UUID]) -> dict[UUID, _Story]:
    stories: dict[UUID, _Story] = {}
    rows = await tx.scalars(
        select(PersonChange)
        .where(col(PersonChange.person_id) == people_queries.any_of(ids))
        .order_by(col(PersonChange.id))
    )
    for one in rows:
        story = stories.setdefault(one.person_id, _Story())
        if one.import_id == import_id:
            story.mine.append(one)
        elif story.mine:
            story.later.append(one)
    return stories


def _kept_person(story: _Story, used: Sequence[str]) -> str:
    if story.later:
        last = story.later[-1]
        return f"changed since by {last.actor} at {last.at:%Y-%m-%d %H:%M} UTC"
    return f"named in: {', '.join(used)}" if used else ""


async def _forget(tx: Tx, gone: Mapping[UUID, Person]) -> None:
    """Empty persons whom the import has made; their addresses are free again, and not suppressed."""
    if not gone:
        return
    ids = people_queries.any_of(gone)
    await field_values.forget_values(tx, list(gone))
    for model in (Identifier, PostalAddress, FieldSource):
        table = table_of(model)
        await tx.execute(delete(table).where(table.c.person_id == ids))
    await tx.execute(
        update(table_of(PersonChange))
        .where(col(PersonChange.person_id) == ids)
        .values(changes=literal({}, JSONB()))
    )
    for person in gone.values():
        person.erase(at=tx.clock.now(), version=person.version + 1)
    await people.announce(tx, gone)


async def _restore(
    tx: Tx, found: Import, back: Mapping[UUID, Person], stories: Mapping[UUID, _Story]
) -> dict[UUID, str]:
    """Give fields and addresses their values from before; return of whom something was left, and why."""
    if not back:
        return {}
    declared = await fields.load(tx)
    held = await people_queries.list_identifiers(tx, back)
    origin = Origin(tx.actor, reason=f"import {found.id} undone")
    kept: dict[UUID, str] = {}
    changed: dict[UUID, Person] = {}
    custom: dict[UUID, dict[str, Any]] = {}
    history = []
    for person_id, person in back.items():
        story = stories.get(person_id, _Story())
        told, left = _before(person, story)
        told |= await _drop_addresses(tx, held.get(person_id, []), story, left)
        values, new = _custom_before(person, story, declared, left)
        told |= values
        if left:
            kept[person_id] = "changed since, or all that is known: " + ", ".join(sorted(left))
        if told:
            person.version += 1
            person.updated_at = tx.clock.now()
            changed[person_id] = person
            custom |= {person_id: new} if new else {}
            history.append(history_row(person, origin, None, told))
    await field_values.write_values(tx, declared, custom)
    await write_history(tx, history)
    await people.announce(tx, changed)
    return kept


def _is_free(name: str, story: _Story) -> bool:
    return not any(name in one.changes for one in story.later)


def _before(person: Person, story: _Story) -> tuple[dict[str, list[Any]], set[str]]:
    told: dict[str, list[Any]] = {}
    left: set[str] = set()
    for name, (before, after) in story.changed().items():
        if name not in FIELDS:
            continue
        others = any(getattr(person, one) for one in NAMES if one != name)
        is_last_name = name in NAMES and not before and not others
        if not _is_free(name, story) or getattr(person, name) != after or is_last_name:
            left.add(name)
        elif before != after:
            setattr(person, name, before)
            told[name] = [after, before]
    return told, left


async def _drop_addresses(
    tx: Tx, held: Sequence[Identifier], story: _Story, left: set[str]
) -> dict[str, list[Any]]:
    told: dict[str, list[Any]] = {}
    there = list(held)
    for change in story.mine:
        for kind in {"email", "phone"} & change.changes.keys():
            value = change.changes[kind][1]
            mine = next((one for one in there if (one.kind, one.value) == (kind, value)), None)
            if mine is None:
                continue
            if len(there) == 1 or not _is_free(kind, story):
                left.add(kind)
                continue
            there.remove(mine)
            await tx.delete(mine)
            # The first address must be gone before another takes its place.
            await tx.flush()
            rest = [one for one in there if one.kind == kind]
            if mine.is_primary and rest:
                rest[0].is_primary = True
            told[kind] = [value, ""]
    return told


def _custom_before(
    person: Person, story: _Story, declared: Mapping[str, CustomField], left: set[str]
) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    wanted: dict[str, Any] = {}
    for name, (before, after) in story.changed().items():
        key = name.removeprefix(CUSTOM)
        if not name.startswith(CUSTOM) or key not in declared:
            continue
        # Of an identity number the history does not tell what it was.
        is_secret = field_values.is_secret(declared, key)
        if is_secret or not _is_free(name, story) or person.custom.get(key) != after:
            left.add(name)
        else:
            wanted[key] = before
    return set_values(person, wanted, declared)


async def _take_permissions(tx: Tx, found: Import, ids: Sequence[UUID]) -> None:
    """Withdraw what this import granted and nobody has confirmed since; the ledger keeps both entries."""
    state, entry = table_of(PermissionNow), table_of(LedgerEntry)
    granted = plain(
        await tx.execute(
            select(state.c.person_id, state.c.channel, state.c.purpose)
            .select_from(state.join(entry, entry.c.id == state.c.ledger_id))
            .where(
                state.c.person_id == people_queries.any_of(ids),
                state.c.state == PermissionState.GRANTED.value,
                entry.c.evidence["import_id"].astext == str(found.id),
            )
        )
    )
    now = tx.clock.now()
    await permissions.record(
        tx,
        [
            Statement(
                person_id,
                Channel(channel),
                Purpose(purpose),
                PermissionState.WITHDRAWN,
                "import undone",
                now,
                evidence={"undone_import_id": str(found.id)},
            )
            for person_id, channel, purpose in granted
        ],
    )


async def _leave_list(tx: Tx, found: Import, ids: Sequence[UUID]) -> None:
    if found.list_id is None or not ids:
        return
    table = table_of(ListMember)
    left = await tx.scalars(
        delete(table)
        .where(
            table.c.segment_id == found.list_id,
            table.c.person_id == people_queries.any_of(ids),
            table.c.source == f"import:{found.id}",
        )
        .returning(table.c.person_id)
    )
    await touch(tx, list(left), Family.LIST)


async def _note(tx: Tx, import_id: UUID, ids: Sequence[UUID], kept: Mapping[UUID, str]) -> None:
    rows = column_set(
        "settled",
        {"person_id": (Uuid(), list(ids)), "because": (Text(), [kept.get(one, "") for one in ids])},
    )
    table = table_of(ImportTouched)
    await tx.execute(
        update(table)
        .where(table.c.import_id == import_id, table.c.person_id == rows.c.person_id)
        .values(is_settled=True, kept_because=rows.c.because)
    )
