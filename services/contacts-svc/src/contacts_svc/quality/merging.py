"""Two records of one person become one, and two again when that was wrong.

The merged record goes, its id stays as an alias. The other services are told: what they hold under the merged id stands
with the known record from then on, and goes back when the merge is undone.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.national import refuse_national_numbers
from contacts_svc.people import queries as people_queries
from contacts_svc.people import usecases as people
from contacts_svc.people.model import FIELDS, Identifier, Origin, Person, PersonAlias
from contacts_svc.people.usecases.save import history_row, set_fields, write_history
from contacts_svc.quality import events, keeping, moving
from contacts_svc.quality.carrying import carry, part_permissions, part_wishes, stricter_preference
from contacts_svc.quality.errors import MergeFinal, MergeInvalid, MergeUnknown
from contacts_svc.quality.kinds import MergeState, PairState
from contacts_svc.quality.model import DuplicatePair, Merge
from contacts_svc.quality.rules import VERSION
from contacts_svc.touched import Family, touch
from contacts_svc.value.usecases import work_out
from kantis_contracts.contacts import PersonCard, PersonChangedV1
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

_EVERYTHING = Family(sum(Family))
_OWN = ("language", "country", "time_zone", "lifecycle")
"""What every person has: that of the known one stays."""
_ADDRESS = ("street", "postal_code", "city", "address_country", "address_as_given")
_alias = table_of(PersonAlias)
_identifier = table_of(Identifier)
_person = table_of(Person)


async def merge(tx: Tx, known_id: UUID, merged_id: UUID, *, reason: str = "") -> Merge:
    """Make the merged contact part of the known one; the stricter permission holds.

    What the known contact lacks is filled from the other; what both have stays as the known one has it.

    Raises:
        MergeInvalid: it is one and the same contact.
        ContactUnknown: one of them was never there, or was erased.
        ContactMerged: one of them was merged already; `known_id` says into whom.
    """
    if known_id == merged_id:
        raise MergeInvalid("merged_id: a contact cannot be merged into itself; give two contacts")
    refuse_national_numbers({"reason": reason})
    both = {
        id_: await people_queries.get_for_update(tx, id_) for id_ in sorted((known_id, merged_id))
    }
    known, merged = both[known_id], both[merged_id]
    now = tx.clock.now()
    kept: dict[str, Any] = {"person": await moving.row_of(tx, _person, merged_id)}
    kept["yeses"] = await carry(tx, merged_id, known_id)
    kept.update(await moving.move(tx, merged_id, known_id))
    kept["raised"] = await _take_over_phones(tx, known_id, kept["dropped"].get("identifier", ()))
    await stricter_preference(tx, known_id, kept["dropped"].get("preference", ()))
    told = set_fields(known, _filled(known, merged))
    told |= _fill_custom(known, merged)
    kept["filled"] = {name: [_plain(one) for one in pair] for name, pair in told.items()}
    kept["aliases"] = await _point(tx, merged_id, known_id)
    known.version, known.updated_at = known.version + 1, now
    row = Merge(
        id=new_id(),
        known_id=known_id,
        merged_id=merged_id,
        reason=reason,
        kept=kept,
        merged_at=now,
        merged_by=tx.actor,
        told_at=now,
    )
    tx.add(row)
    await keeping.hold(tx)
    await moving.clear_derived(tx, merged_id)
    await tx.flush()
    gone = Person(**{**merged.model_dump(), "version": merged.version + 1, "updated_at": now})
    await tx.execute(delete(_person).where(_person.c.id == merged_id))
    history = {**kept["filled"], "merged_from": ["", str(merged_id)]}
    await write_history(tx, [history_row(known, Origin(tx.actor, reason=reason), None, history)])
    tx.stage(events.person_merged(row, version=gone.version))
    await people.announce(tx, {known_id: known, merged_id: gone})
    await _settle(tx, row, PairState.MERGED)
    tx.audit("contacts.merge", str(known_id), merged_id=str(merged_id), merge_id=str(row.id))
    return row


async def undo(tx: Tx, merge_id: UUID) -> Merge:
    """Make two contacts of one again; what was moved and is still there goes back.

    A yes that came with the merged contact is withdrawn, and a no that was given meanwhile holds for both: whose it was
    cannot be told.

    Raises:
        MergeUnknown: no such merge.
        MergeFinal: undone before, the person was erased, or was merged into another since.
    """
    wanted = select(Merge).where(col(Merge.id) == merge_id)
    row: Merge | None = await tx.scalar(wanted)
    if row is None:
        raise MergeUnknown("GET /v1/merges lists those that were made")
    await _lock(tx, [row.known_id])
    held = wanted.with_for_update().execution_options(populate_existing=True)
    await tx.execute(held)
    if row.state != MergeState.DONE:
        why = (
            "was undone before" if row.state == MergeState.UNDONE else "belongs to somebody erased"
        )
        raise MergeFinal(f"This merge {why}")
    if await people_queries.resolve(tx, row.known_id) != row.known_id:
        raise MergeFinal(
            f"Contact {row.known_id} was merged into another since: undo that merge first"
        )
    known = await people_queries.get_for_update(tx, row.known_id)
    now, kept = tx.clock.now(), row.kept
    version = int(kept["person"]["version"]) + 2  # the merge was told with the one between
    old = {**kept["person"], "version": version, "updated_at": now.isoformat()}
    await tx.execute(delete(_alias).where(_alias.c.merged_id == row.merged_id))
    await tx.execute(
        update(_alias)
        .where(_alias.c.merged_id == people_queries.any_of(map(UUID, kept["aliases"])))
        .values(known_id=row.merged_id)
    )
    await moving.restore(tx, _person, [old])
    await _identify(tx, kept["raised"], is_identifying=False)
    await moving.move_back(tx, row.merged_id, row.known_id, kept)
    told = set_fields(known, _emptied(known, kept["filled"]))
    known.custom = _without(known.custom, kept["filled"])
    known.version, known.updated_at = known.version + 1, now
    await part_permissions(tx, row, kept["yeses"])
    await part_wishes(tx, row, kept)
    row.state, row.undone_at, row.undone_by, row.kept = MergeState.UNDONE, now, tx.actor, {}
    await tx.flush()
    parted = await people_queries.get_for_update(tx, row.merged_id)
    told_plain = {name: [_plain(one) for one in pair] for name, pair in told.items()}
    origin = Origin(tx.actor, reason="merge undone")
    await write_history(
        tx,
        [
            history_row(known, origin, None, {**told_plain, "merged_from": [str(parted.id), ""]}),
            history_row(parted, origin, None, {"merged_into": [str(known.id), ""]}),
        ],
    )
    tx.stage(events.person_merged(row, version=version))
    await people.announce(tx, {known.id: known, parted.id: parted})
    await _settle(tx, row, PairState.DISMISSED)
    tx.audit("contacts.merge_undone", str(known.id), merged_id=str(parted.id))
    return row


async def follow(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Let what came for a merged id follow to the known one, and let an erasure reach what merges keep."""
    chosen = sorted(set(person_ids))
    rows = await tx.execute(
        select(_alias.c.merged_id, _alias.c.known_id)
        .join(_person, _person.c.id == _alias.c.known_id)
        .where(_alias.c.merged_id == people_queries.any_of(chosen), ~_person.c.is_erased)
        .order_by(_alias.c.merged_id)
    )
    leads = {row[0]: row[1] for row in plain(rows)}
    if leads:
        await _lock(tx, leads.values())
    for merged_id in leads:
        late, known_id = await _hold(tx, merged_id)
        if late is None or known_id is None:
            continue
        await carry(tx, merged_id, known_id, only_noes=True)
        told = await moving.move(tx, merged_id, known_id)
        if any(told.values()):
            await touch(tx, [known_id], _EVERYTHING)
            late.kept = _joined(late.kept, told)
    await forget(tx, chosen)


async def _lock(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Lock people, in the order of their ids.

    Whoever merges, undoes, follows or erases does so before anything else of a merge is locked: nobody who waits for a
    person holds a merge that the other needs.
    """
    chosen = people_queries.any_of(sorted(set(person_ids)))
    await tx.execute(
        select(_person.c.id).where(_person.c.id == chosen).order_by(_person.c.id).with_for_update()
    )


async def _hold(tx: Tx, merged_id: UUID) -> tuple[Merge | None, UUID | None]:
    """Return the merge of an id and where it leads, both held: nobody may undo it, or merge on, while rows are moved."""
    leads = select(_alias.c.known_id).where(_alias.c.merged_id == merged_id)
    known_id = await tx.scalar(leads)
    while known_id is not None:
        await _lock(tx, [known_id])
        held = await tx.scalar(leads.with_for_update())
        if held == known_id:
            break
        known_id = held
    late: Merge | None = await tx.scalar(
        select(Merge)
        .where(col(Merge.merged_id) == merged_id, col(Merge.state) == MergeState.DONE)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return late, known_id


async def forget(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Empty what merges keep of those among these who were erased, and tell the others to forget the merged ids."""
    chosen = people_queries.any_of(sorted(set(person_ids)))
    merged = (
        select(_alias.c.merged_id)
        .join(_person, _person.c.id == _alias.c.known_id)
        .where(_person.c.id == chosen, _person.c.is_erased)
    )
    rows = list(
        await tx.scalars(
            select(Merge)
            .where(col(Merge.merged_id).in_(merged), col(Merge.state) == MergeState.DONE)
            .order_by(col(Merge.id))
            .with_for_update()
        )
    )
    if not rows:
        return
    cards = tuple(
        PersonCard(
            person_id=row.merged_id, version=int(row.kept["person"]["version"]) + 2, is_erased=True
        )
        for row in rows
    )
    for row in rows:
        row.state, row.kept, row.reason = MergeState.FINAL, {}, ""
    tx.stage(PersonChangedV1(items=cards))


def _filled(known: Person, merged: Person) -> dict[str, Any]:
    names = [name for name in FIELDS if name not in (*_OWN, *_ADDRESS)]
    if not (known.street or known.postal_code or known.city):
        names += _ADDRESS
    given = {
        name: getattr(merged, name)
        for name in names
        if getattr(merged, name) and not getattr(known, name)
    }
    if known.note and merged.note and merged.note not in known.note:
        given["note"] = f"{known.note}\n{merged.note}"
    days = [one for one in (known.not_before, merged.not_before) if one is not None]
    given["do_not_contact"] = known.do_not_contact or merged.do_not_contact
    given["not_before"] = max(days) if days else None
    return given


def _fill_custom(known: Person, merged: Person) -> dict[str, list[Any]]:
    new = {
        key: value
        for key, value in (merged.custom or {}).items()
        if (known.custom or {}).get(key) in (None, "", [])
    }
    if new:
        known.custom = {**(known.custom or {}), **new}
    return {f"custom.{key}": ["", value] for key, value in new.items()}


def _emptied(known: Person, filled: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the merge has set of the fields of the known person, as it was before, where it is so still."""
    back: dict[str, Any] = {}
    for name, (before, after) in filled.items():
        if not name.startswith("custom.") and _plain(getattr(known, name)) == after:
            is_day = name == "not_before" and before
            back[name] = date.fromisoformat(before) if is_day else before
    return back


def _without(custom: Mapping[str, Any], filled: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in (custom or {}).items()
        if filled.get(f"custom.{key}", (None, None))[1] != value
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _joined(kept: Mapping[str, Any], late: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    joined = dict(kept)
    for what, found in late.items():
        held = dict(joined.get(what, {}))
        for name, rows in found.items():
            held[name] = [*held.get(name, ()), *rows]
        joined[what] = held
    return joined


async def _point(tx: Tx, merged_id: UUID, known_id: UUID) -> list[str]:
    """Let the merged id, and the ids that were merged into it, answer with the known one; return the latter."""
    now = tx.clock.now()
    moved = await tx.scalars(
        update(_alias)
        .where(_alias.c.known_id == merged_id)
        .values(known_id=known_id, version=_alias.c.version + 1, at=now)
        .returning(_alias.c.merged_id)
    )
    aliases = sorted(str(one) for one in moved)
    await tx.execute(
        insert(_alias).values(merged_id=merged_id, known_id=known_id, version=1, at=now)
    )
    return aliases


async def _take_over_phones(
    tx: Tx, known_id: UUID, dropped: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Let a phone that both had identify the known person when it identified the merged one."""
    raised: list[str] = []
    for one in dropped:
        if not one["is_identifying"]:
            continue
        ids = await tx.scalars(
            select(_identifier.c.id).where(
                _identifier.c.person_id == known_id,
                _identifier.c.kind == one["kind"],
                _identifier.c.value == one["value"],
            )
        )
        raised += [str(id_) for id_ in ids]
    await _identify(tx, raised, is_identifying=True)
    return raised


async def _identify(tx: Tx, ids: Iterable[str], *, is_identifying: bool) -> None:
    chosen = [UUID(one) for one in ids]
    if chosen:
        await tx.execute(
            update(_identifier)
            .where(_identifier.c.id == people_queries.any_of(chosen))
            .values(is_identifying=is_identifying)
        )


async def _settle(tx: Tx, row: Merge, state: PairState) -> None:
    """Bring what is derived up to date, and the pair out of the queue."""
    await keeping.hold(tx)
    pair = table_of(DuplicatePair)
    one, other = sorted((row.known_id, row.merged_id))
    await tx.execute(
        delete(pair).where(
            (pair.c.one_id == row.merged_id) | (pair.c.other_id == row.merged_id),
            pair.c.state == PairState.OPEN,
            ~((pair.c.one_id == one) & (pair.c.other_id == other)),
        )
    )
    await tx.execute(
        insert(pair)
        .values(
            id=new_id(),
            one_id=one,
            other_id=other,
            score=100 if state is PairState.MERGED else 0,
            reasons=literal(["by_hand"], JSONB()),
            state=state.value,
            found_at=tx.clock.now(),
            decided_at=tx.clock.now(),
            decided_by=tx.actor,
            rules=VERSION,
        )
        .on_conflict_do_update(
            index_elements=["one_id", "other_id"],
            set_={"state": state.value, "decided_at": tx.clock.now(), "decided_by": tx.actor},
        )
    )
    await keeping.mark_due(tx, [row.known_id])
    await touch(tx, [row.known_id, row.merged_id], _EVERYTHING)
    await work_out(tx, [row.known_id, row.merged_id], reason="merge")
