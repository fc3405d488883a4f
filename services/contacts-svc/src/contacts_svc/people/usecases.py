"""What is done with people: one way in for one person and for two thousand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Boolean, Text, Uuid, delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import Moment, row_set, table_of
from contacts_svc.people import events, queries
from contacts_svc.people.errors import AddressTaken, ContactInvalid, Contended, ErasedBefore
from contacts_svc.people.model import (
    FIELDS,
    FREE_TEXT,
    Draft,
    Identifier,
    OnExisting,
    Origin,
    Person,
    Saved,
    Verdict,
)
from contacts_svc.people.rules import (
    Address,
    AddressInvalid,
    national_number_in,
    normalise_email,
    normalise_phone,
)
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

ROUNDS = 4
"""How often addresses that others took at the same moment are looked up again."""
ERASED = "the owner of this address has asked to be forgotten"
_PERSON_COLUMNS = ("id", "version", *FIELDS, "is_erased", "created_at", "updated_at")
_CHANGE_COLUMNS = ("person_id", "version", "at", "actor", "import_id", "import_row", "changes")


@dataclass(slots=True)
class _Round:
    """What one pass over the drafts found out."""

    owners: dict[queries.Key, Person]
    new: dict[UUID, Person] = field(default_factory=dict)
    claims: dict[queries.Key, tuple[Address, UUID, bool]] = field(default_factory=dict)
    drafts_of: dict[UUID, list[int]] = field(default_factory=dict)


async def save_drafts(
    tx: Tx, drafts: Sequence[Draft], *, existing: OnExisting, origin: Origin
) -> list[Saved]:
    """Create or find the persons that these drafts describe, by their addresses; tell what became of each.

    Works in one statement per step. Two drafts with one address are one person. A draft whose e-mail address belongs
    to one person and its phone number to another is refused; the others are saved.

    Raises:
        Contended: other transactions kept taking the same addresses.
    """
    saved: dict[int, Saved] = {}
    changed: dict[UUID, Person] = {}
    created: dict[UUID, Person] = {}
    history: list[tuple[Any, ...]] = []
    suppressed = await queries.find_suppressed(tx, drafts)
    todo = list(range(len(drafts)))
    for _ in range(ROUNDS):
        if not todo:
            break
        keys = sorted({key for index in todo for key in drafts[index].keys})
        state = _Round(await queries.lock_owners(tx, keys))
        for index in todo:
            saved[index] = _place(
                state, drafts[index], index, created, changed, existing, tx.clock.now(), history, origin, suppressed
            )
        todo = await _claim(tx, state, created)
    if todo:
        raise Contended("Send it again in a moment", headers={"Retry-After": "1"})
    await _write_new(tx, created.values())
    await _write_history(tx, [row for row in history if row[0] in created or row[0] in changed])
    await announce(tx, {**changed, **created})
    return [saved[index] for index in range(len(drafts))]


def _place(
    state: _Round,
    draft: Draft,
    index: int,
    created: dict[UUID, Person],
    changed: dict[UUID, Person],
    existing: OnExisting,
    now: datetime,
    history: list[tuple[Any, ...]],
    origin: Origin,
    suppressed: set[queries.Key],
) -> Saved:
    found = {state.owners[key].id: state.owners[key] for key in draft.keys if key in state.owners}
    if len(found) > 1:
        return Saved(Verdict.REFUSED, reason="the e-mail address and the phone number belong to two different contacts")
    if not found and not draft.after_erasure and suppressed.intersection(draft.keys):
        return Saved(Verdict.REFUSED, reason=ERASED)
    if not found:
        person = Person(id=new_id(), version=1, created_at=now, updated_at=now, **draft.complete())
        state.new[person.id] = created[person.id] = person
        state.drafts_of[person.id] = [index]
        for address in draft.addresses:
            state.owners[address.key] = person
            state.claims[address.key] = (address, person.id, True)
        told = {name: ["", value] for name, value in person.known().items() if value}
        told.update({address.kind.value: ["", address.value] for address in draft.addresses})
        history.append(_history_row(person, now, origin, draft.row, told))
        return Saved(Verdict.CREATED, person.id)
    (person,) = found.values()
    if person.id in state.new:
        state.drafts_of[person.id].append(index)
    if existing is OnExisting.KEEP:
        return Saved(Verdict.UNCHANGED, person.id)
    told = _differences(person, draft.fields)
    for address in draft.addresses:
        if address.key not in state.owners:
            state.owners[address.key] = person
            state.claims[address.key] = (address, person.id, False)
            told[address.kind.value] = ["", address.value]
    if not told:
        return Saved(Verdict.UNCHANGED, person.id)
    if person.id not in created:
        changed[person.id] = person
        person.version += 1
        person.updated_at = now
    history.append(_history_row(person, now, origin, draft.row, told))
    return Saved(Verdict.UPDATED, person.id)


def _differences(person: Person, fields: Mapping[str, str]) -> dict[str, list[str]]:
    """Set what was given and differs; return per field the value before and after."""
    told = {}
    for name, value in fields.items():
        before = getattr(person, name)
        if value and value != before:
            setattr(person, name, value)
            told[name] = [before, value]
    return told


def _history_row(
    person: Person, at: datetime, origin: Origin, row: int | None, told: Mapping[str, Any]
) -> tuple[Any, ...]:
    changes = orjson.dumps(told).decode()
    return (person.id, person.version, at, origin.actor, origin.import_id, row, changes)


async def _claim(tx: Tx, state: _Round, created: dict[UUID, Person]) -> list[int]:
    """Take the addresses; return the drafts whose address somebody else took meanwhile, to be looked up again."""
    if not state.claims:
        return []
    claims = [state.claims[key] for key in sorted(state.claims)]  # one order for all, so that nobody waits in a circle
    primary = await _free_primary(tx, claims, state.new)
    rows = row_set(
        "claim",
        {
            "kind": (Text(), [address.kind.value for address, _, _ in claims]),
            "value": (Text(), [address.value for address, _, _ in claims]),
            "person_id": (Uuid(), [person_id for _, person_id, _ in claims]),
            "as_given": (Text(), [address.as_given for address, _, _ in claims]),
            "is_primary": (Boolean(), primary),
        },
    )
    now = tx.clock.now()
    mine = await tx.execute(
        insert(table_of(Identifier))
        .from_select(
            ["kind", "value", "person_id", "as_given", "is_primary", "validity", "reachability", "created_at"],
            select(*rows.c, literal("valid"), literal("unknown"), literal(now, Moment)),
        )
        .on_conflict_do_nothing(index_elements=["kind", "value"])
        .returning(Identifier.kind, Identifier.value)
    )
    taken = state.claims.keys() - {(kind, value) for kind, value in mine}
    lost = {state.claims[key][1] for key in taken} & state.new.keys()
    if not lost:
        return []
    await tx.execute(delete(table_of(Identifier)).where(col(Identifier.person_id) == queries.any_of(lost)))
    for person_id in lost:
        del created[person_id]
    return sorted(index for person_id in lost for index in state.drafts_of[person_id])


async def _free_primary(
    tx: Tx, claims: Sequence[tuple[Address, UUID, bool]], new: Mapping[UUID, Person]
) -> list[bool]:
    """Say for each claim whether the person has no first address of that kind yet."""
    old = {person_id for _, person_id, _ in claims if person_id not in new}
    taken = {
        (one.person_id, one.kind)
        for found in (await queries.list_identifiers(tx, old)).values()
        for one in found
        if one.is_primary
    }
    free = []
    for address, person_id, _ in claims:
        slot = (person_id, address.kind.value)
        free.append(slot not in taken)
        taken.add(slot)
    return free


async def _write_new(tx: Tx, people: Iterable[Person]) -> None:
    rows = [tuple(getattr(person, name) for name in _PERSON_COLUMNS) for person in people]
    if rows:
        await tx.copy("person", _PERSON_COLUMNS, rows)


async def _write_history(tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        await tx.copy("person_change", _CHANGE_COLUMNS, rows)


async def announce(tx: Tx, people: Mapping[UUID, Person]) -> None:
    """Tell the other services how these persons look now."""
    if not people:
        return
    identifiers = await queries.list_identifiers(tx, people)
    tx.stage(events.persons_changed((person, identifiers[person.id]) for person in people.values()))


def check_texts(fields: Mapping[str, str]) -> None:
    """Refuse national identity numbers in what people write freely. Raises `ContactInvalid`."""
    for name in FREE_TEXT:
        kind = national_number_in(fields.get(name, ""))
        if kind:
            raise ContactInvalid(
                f"{name}: holds what looks like a {kind}; such numbers are not kept here, leave it out",
                errors=[{"in": "body", "field": name, "message": f"looks like a {kind}"}],
            )


def read_addresses(email: str, phone: str, country: str) -> tuple[Address | None, Address | None]:
    """Normalise what was given. Raises `ContactInvalid` naming the field."""
    try:
        found_email = normalise_email(email) if email else None
    except AddressInvalid as error:
        raise ContactInvalid(
            f"email: {error}", errors=[{"in": "body", "field": "email", "message": str(error)}]
        ) from error
    try:
        found_phone = normalise_phone(phone, country) if phone else None
    except AddressInvalid as error:
        raise ContactInvalid(
            f"phone: {error}", errors=[{"in": "body", "field": "phone", "message": str(error)}]
        ) from error
    return found_email, found_phone


def make_draft(
    fields: Mapping[str, str], *, email: str, phone: str, after_erasure: bool = False
) -> Draft:
    """Check a description of one person and normalise it.

    Raises:
        ContactInvalid: no name, no address, an address that cannot be, or a national identity number.
    """
    check_texts(fields)
    found_email, found_phone = read_addresses(email, phone, fields.get("country") or "NO")
    draft = Draft(dict(fields), found_email, found_phone, after_erasure=after_erasure)
    if not draft.has_name():
        raise ContactInvalid("A contact needs a name: give preferred_name, full_name, given_name or family_name")
    if not draft.addresses:
        raise ContactInvalid("A contact needs an e-mail address or a mobile number; one of them is enough")
    return draft


async def create_contact(tx: Tx, draft: Draft) -> UUID:
    """Add a person whose addresses nobody has yet.

    Raises:
        AddressTaken: somebody has one of the addresses; `existing_id` says who.
        ErasedBefore: the address was erased at its owner's wish.
    """
    (saved,) = await save_drafts(tx, [draft], existing=OnExisting.KEEP, origin=Origin(tx.actor))
    if saved.reason == ERASED:
        raise ErasedBefore("Add it with after_erasure only when the person wants to be known again")
    if saved.verdict is not Verdict.CREATED or saved.person_id is None:
        owners = await queries.lock_owners(tx, sorted(draft.keys))
        taken = sorted({str(person.id) for person in owners.values()})
        raise AddressTaken(
            "Change that contact instead, or leave the address out", existing_id=taken[0], existing_ids=taken
        )
    return saved.person_id


async def change_contact(
    tx: Tx, person: Person, fields: Mapping[str, str], *, email: str | None, phone: str | None
) -> None:
    """Change a locked person; an empty address removes it, but the last address and the last name stay.

    Raises:
        ContactInvalid: nothing would be left to call or reach the person by, or a value cannot be kept.
        AddressTaken: somebody else has the address.
    """
    check_texts(fields)
    told: dict[str, list[str]] = {}
    for name, value in fields.items():
        before = getattr(person, name)
        if value != before:
            setattr(person, name, value)
            told[name] = [before, value]
    if not any(getattr(person, name) for name in ("preferred_name", "given_name", "family_name", "full_name")):
        raise ContactInvalid("A contact needs a name: one of the four names must stay")
    addresses = read_addresses(email or "", phone or "", person.country)
    for kind, wanted, address in (("email", email, addresses[0]), ("phone", phone, addresses[1])):
        if wanted is not None:
            told.update(await _replace_address(tx, person, kind, address))
    if not told:
        return
    person.version += 1
    person.updated_at = tx.clock.now()
    await _write_history(tx, [_history_row(person, person.updated_at, Origin(tx.actor), None, told)])
    await announce(tx, {person.id: person})


async def _replace_address(
    tx: Tx, person: Person, kind: str, address: Address | None
) -> dict[str, list[str]]:
    held = (await queries.list_identifiers(tx, [person.id]))[person.id]
    old = next((one for one in held if one.kind == kind and one.is_primary), None)
    before = old.value if old else ""
    if address is not None and address.value == before:
        return {}
    if address is None and old is None:
        return {}
    if address is None and len(held) == 1:
        raise ContactInvalid("A contact needs an e-mail address or a mobile number: give another one first")
    if old is not None:
        await tx.delete(old)
        # The first address must be gone before the new one takes its place.
        await tx.flush()
    if address is not None:
        await _take_address(tx, person, address)
    return {kind: [before, address.value if address else ""]}


async def _take_address(tx: Tx, person: Person, address: Address) -> None:
    await tx.execute(
        delete(table_of(Identifier)).where(
            col(Identifier.person_id) == person.id,
            col(Identifier.kind) == address.kind.value,
            col(Identifier.value) == address.value,
        )
    )
    mine = await tx.scalar(
        insert(table_of(Identifier))
        .values(
            kind=address.kind.value,
            value=address.value,
            person_id=person.id,
            as_given=address.as_given,
            is_primary=True,
            validity="valid",
            reachability="unknown",
            created_at=tx.clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["kind", "value"])
        .returning(Identifier.person_id)
    )
    if mine is None:
        owners = await queries.lock_owners(tx, [address.key])
        owner = owners.get(address.key)
        raise AddressTaken(
            f"Another contact has this {address.kind.value}", existing_id=str(owner.id) if owner else None
        )
