"""One way in for one person and for two thousand: find them by their addresses, or make them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Boolean, Text, Uuid, delete, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert

from contacts_svc.base import Moment, plain, table_of
from contacts_svc.fields.model import CustomField
from contacts_svc.fields.queries import load as load_fields
from contacts_svc.fields.rules import MASK
from contacts_svc.fields.usecases import is_secret, write_values
from contacts_svc.people import events, queries
from contacts_svc.people.errors import Contended
from contacts_svc.people.history import shortened
from contacts_svc.people.holders import find_holders
from contacts_svc.people.model import (
    FIELDS,
    MARKS,
    OWNED,
    Draft,
    Identifier,
    OnExisting,
    Origin,
    Person,
    Saved,
    Verdict,
)
from contacts_svc.people.names import are_different
from contacts_svc.people.rules import Address, IdentifierKind
from contacts_svc.touched import Family, touch
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

ROUNDS = 4
"""How often addresses that others took at the same moment are looked up again."""
_OF_NEW: Mapping[str, Any] = {
    "label": "",
    "source": "",
    "validity": "valid",
    "reachability": "unknown",
    "reach_reason": "",
}
ERASED = "the owner of this address has asked to be forgotten"
SHARED_ONLY = (
    "several contacts share this phone number: an e-mail address is needed to know whose row it is"
)
TWO_OWNERS = "the e-mail address and the phone number belong to two different contacts"
_PERSON_COLUMNS = ("id", "version", *FIELDS, *MARKS, "is_erased", "created_at", "updated_at")
_CHANGE_COLUMNS = (
    "person_id",
    "version",
    "at",
    "actor",
    "import_id",
    "import_row",
    "reason",
    "changes",
)


@dataclass(slots=True)
class _Book:
    """What saving knows and decides; rows are written from it at the end."""

    existing: OnExisting
    origin: Origin
    now: datetime
    suppressed: set[queries.Key]
    created: dict[UUID, Person] = field(default_factory=dict)
    changed: dict[UUID, Person] = field(default_factory=dict)
    declared: Mapping[str, CustomField] = field(default_factory=dict)
    firsts: dict[UUID, dict[str, str]] = field(default_factory=dict)
    """The first address of each kind of those who are created."""
    values: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    """Changed values of declared fields."""
    shared: dict[tuple[queries.Key, UUID], Address] = field(default_factory=dict)
    """Phones that stand with a person without identifying them."""
    sharers: dict[queries.Key, set[UUID]] = field(default_factory=dict)
    """Who shares a phone already."""
    history: list[tuple[Any, ...]] = field(default_factory=list)
    # The pass over the drafts that is under way:
    owners: dict[queries.Key, Person] = field(default_factory=dict)
    claims: dict[queries.Key, tuple[Address, UUID]] = field(default_factory=dict)
    drafts_of: dict[UUID, list[int]] = field(default_factory=dict)

    def begin(
        self, owners: dict[queries.Key, Person], sharers: dict[queries.Key, set[UUID]]
    ) -> None:
        """Start a pass with the addresses' owners, and those who share them, as they are now."""
        self.owners, self.claims, self.drafts_of = owners, {}, {}
        for key, people in sharers.items():
            self.sharers.setdefault(key, set()).update(people)

    def place(self, index: int, draft: Draft) -> Saved:
        """Decide whose draft this is, and what it changes."""
        mail = self.owners.get(draft.email.key) if draft.email else None
        phone = self.owners.get(draft.phone.key) if draft.phone else None
        if mail is not None:
            if phone in (None, mail) or self._shares(draft, mail):
                return self._meet(index, draft, mail)
            return Saved(Verdict.REFUSED, reason=TWO_OWNERS)
        if phone is not None and not self._is_another(draft, phone):
            return self._meet(index, draft, phone)
        if not draft.after_erasure and self.suppressed.intersection(draft.keys):
            return Saved(Verdict.REFUSED, reason=ERASED)
        if draft.email is None and not draft.shares_phone and self.sharers.get(draft.keys[0]):
            return Saved(Verdict.REFUSED, reason=SHARED_ONLY)
        return self._make(index, draft)

    def _shares(self, draft: Draft, person: Person) -> bool:
        assert draft.phone is not None  # noqa: S101 - asked only where the phone has an owner
        return bool(draft.shares_phone) or person.id in self.sharers.get(draft.phone.key, ())

    def _is_another(self, draft: Draft, owner: Person) -> bool:
        """Say whether a draft with an unknown mailbox is of somebody who shares the phone of its owner."""
        if draft.shares_phone is not None:
            return draft.shares_phone
        if draft.email is None:
            return False
        return draft.is_claim or are_different(draft.complete(), owner.known())

    def _make(self, index: int, draft: Draft) -> Saved:
        person = Person(
            id=new_id(), version=1, is_erased=False, created_at=self.now, updated_at=self.now
        )
        for name, value in draft.complete().items():
            setattr(person, name, value)
        self.created[person.id] = person
        self.drafts_of[person.id] = [index]
        self.firsts[person.id] = {}
        told: dict[str, Any] = {
            name: ["", value] for name, value in person.known().items() if value
        }
        told |= set_fields(person, draft.marks)
        told |= self._take(person, draft) | self._fill(person, draft)
        self.history.append(history_row(person, self.origin, draft.row, told))
        return Saved(Verdict.CREATED, person.id)

    def _meet(self, index: int, draft: Draft, person: Person) -> Saved:
        if person.id in self.drafts_of:
            self.drafts_of[person.id].append(index)
        if self.existing is OnExisting.KEEP:
            return Saved(Verdict.UNCHANGED, person.id)
        given, _ = draft.says_of(person)
        told: dict[str, Any] = {
            **set_fields(person, {**given, **draft.marks}),
            **self._take(person, draft),
            **self._fill(person, draft),
        }
        if not told:
            return Saved(Verdict.UNCHANGED, person.id)
        if person.id not in self.created and person.id not in self.changed:
            self.changed[person.id] = person
            person.version += 1
            person.updated_at = self.now
        self.history.append(history_row(person, self.origin, draft.row, told))
        return Saved(Verdict.UPDATED, person.id)

    def _take(self, person: Person, draft: Draft) -> dict[str, list[str]]:
        told = {}
        for address in draft.addresses:
            owner = self.owners.get(address.key)
            sharers = self.sharers.get(address.key, set())
            if person.id in sharers or owner is person or (owner and owner.id == person.id):
                continue
            is_shared = owner is not None or bool(sharers) or bool(draft.shares_phone)
            if is_shared and address.kind is IdentifierKind.PHONE:
                self.shared[address.key, person.id] = address
                self.sharers.setdefault(address.key, set()).add(person.id)
            elif owner is None:
                self.owners[address.key] = person
                self.claims[address.key] = (address, person.id)
            else:
                continue
            if person.id in self.firsts:
                self.firsts[person.id].setdefault(address.kind.value, address.value)
            told[address.kind.value] = ["", address.value]
        return told

    def _fill(self, person: Person, draft: Draft) -> dict[str, list[Any]]:
        """Set values of declared fields; return what the history tells of them."""
        told, changed = set_values(person, draft.says_of(person)[1], self.declared)
        if changed:
            self.values.setdefault(person.id, {}).update(changed)
        return told

    def lose(self, taken: Iterable[queries.Key]) -> set[UUID]:
        """Unmake new persons of whose addresses somebody else took one meanwhile; return them."""
        lost = {self.claims[key][1] for key in taken} & self.drafts_of.keys()
        for person_id in lost:
            del self.created[person_id], self.firsts[person_id]
            self.values.pop(person_id, None)
        for key, person_id in [one for one in self.shared if one[1] in lost]:
            del self.shared[key, person_id]
            self.sharers[key].discard(person_id)
        return lost


async def save_drafts(
    tx: Tx, drafts: Sequence[Draft], *, existing: OnExisting, origin: Origin
) -> list[Saved]:
    """Create or find the persons that these drafts describe, by their addresses; tell what became of each.

    Works in one statement per step. Two drafts with one address are one person, unless they have mailboxes and names
    of their own: then they are two who share a phone, which identifies the first of them only. A draft whose e-mail
    address belongs to one person and its phone number to another is refused; the others are saved.

    Raises:
        Contended: other transactions kept taking the same addresses.
    """
    book = _Book(existing, origin, tx.clock.now(), await queries.find_suppressed(tx, drafts))
    if any(draft.custom for draft in drafts):
        book.declared = await load_fields(tx)
    saved: dict[int, Saved] = {}
    todo = list(range(len(drafts)))
    for _ in range(ROUNDS):
        if not todo:
            break
        keys = sorted({key for index in todo for key in drafts[index].keys})
        book.begin(*await find_holders(tx, keys))
        for index in todo:
            saved[index] = book.place(index, drafts[index])
        todo = await _claim(tx, book)
    if todo:
        raise Contended("Send it again in a moment", headers={"Retry-After": "1"})
    rows = [
        (
            *(getattr(person, name) for name in _PERSON_COLUMNS),
            orjson.dumps(person.custom).decode(),
        )
        for person in book.created.values()
    ]
    if rows:
        await tx.copy("person", (*_PERSON_COLUMNS, "custom"), rows)
    if book.shared:
        await _share(tx, book)
    if book.values:
        await write_values(tx, book.declared, book.values)
    kept = book.created.keys() | book.changed.keys()
    await write_history(tx, [row for row in book.history if row[0] in kept])
    await announce(tx, {**book.changed, **book.created}, book.firsts)
    return [saved[index] for index in range(len(drafts))]


def set_fields(person: Person, fields: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Set what differs; return per field the value before and after."""
    told = {}
    for name, value in fields.items():
        before = getattr(person, name)
        if value != before:
            setattr(person, name, value)
            told[name] = [before, value]
    return told


def set_values(
    person: Person, given: Mapping[str, Any], declared: Mapping[str, CustomField]
) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Set checked values of declared fields, None empties; return what the history tells, and what has changed.

    An identity number is told as changed, never as what it is.
    """
    told: dict[str, list[Any]] = {}
    changed: dict[str, Any] = {}
    custom = dict(person.custom)
    for key, value in given.items():
        if is_secret(declared, key):
            told[f"custom.{key}"] = [MASK, MASK if value is not None else ""]
            changed[key] = value
            continue
        before = custom.pop(key, None)
        if value is not None:
            custom[key] = value
        if before != value:
            told[f"custom.{key}"] = [before, value]
            changed[key] = value
    if changed:
        person.custom = custom
    return told, changed


def history_row(
    person: Person, origin: Origin, row: int | None, told: Mapping[str, Any]
) -> tuple[Any, ...]:
    """Return the row that tells what was changed of a person just now."""
    changes = orjson.dumps(shortened(told)).decode()
    return (
        person.id,
        person.version,
        person.updated_at,
        origin.actor,
        origin.import_id,
        row,
        origin.reason,
        changes,
    )


async def _claim(tx: Tx, book: _Book) -> list[int]:
    """Take the addresses; return the drafts whose address somebody else took meanwhile, to be looked up again."""
    if not book.claims:
        return []
    # One order for all, so that nobody waits in a circle.
    claims = [book.claims[key] for key in sorted(book.claims)]
    table = table_of(Identifier)
    mine = await tx.execute(
        (await _inserted(tx, book, claims, is_identifying=True))
        .on_conflict_do_nothing(index_elements=OWNED, index_where=table.c.is_identifying)
        .returning(table.c.kind, table.c.value)
    )
    lost = book.lose(book.claims.keys() - set(plain(mine)))
    if not lost:
        return []
    await tx.execute(delete(table).where(table.c.person_id == queries.any_of(lost)))
    return sorted(index for person_id in lost for index in book.drafts_of[person_id])


async def _share(tx: Tx, book: _Book) -> None:
    """Write phones down that stand with several people; one that a person has already stays as it is."""
    shared = [(book.shared[one], one[1]) for one in sorted(book.shared)]
    await tx.execute(
        (await _inserted(tx, book, shared, is_identifying=False)).on_conflict_do_nothing()
    )


async def _inserted(
    tx: Tx, book: _Book, held: Sequence[tuple[Address, UUID]], *, is_identifying: bool
) -> Insert:
    rows = column_set(
        "claim",
        {
            "kind": (Text(), [address.kind.value for address, _ in held]),
            "value": (Text(), [address.value for address, _ in held]),
            "person_id": (Uuid(), [person_id for _, person_id in held]),
            "as_given": (Text(), [address.as_given for address, _ in held]),
            "is_primary": (Boolean(), await _is_first(tx, held, book)),
            "id": (Uuid(), [new_id() for _ in held]),
        },
    )
    return insert(table_of(Identifier)).from_select(
        [*rows.c.keys(), *_OF_NEW, "is_identifying", "created_at"],
        select(
            *rows.c,
            *map(literal, _OF_NEW.values()),
            literal(is_identifying),
            literal(book.now, Moment),
        ),
    )


async def _is_first(tx: Tx, claims: Sequence[tuple[Address, UUID]], book: _Book) -> list[bool]:
    """Say for each claim whether the person has no first address of that kind yet."""
    old = {person_id for _, person_id in claims if person_id not in book.created}
    held = await queries.list_identifiers(tx, old) if old else {}
    taken = {
        (one.person_id, one.kind) for found in held.values() for one in found if one.is_primary
    }
    first = []
    for address, person_id in claims:
        if person_id in book.firsts:
            first.append(book.firsts[person_id][address.kind.value] == address.value)
            continue
        slot = (person_id, address.kind.value)
        first.append(slot not in taken)
        taken.add(slot)
    return first


async def write_history(tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep who changed what."""
    if rows:
        await tx.copy("person_change", _CHANGE_COLUMNS, rows)


async def announce(
    tx: Tx, people: Mapping[UUID, Person], firsts: Mapping[UUID, Mapping[str, str]] | None = None
) -> None:
    """Tell the other services how these persons look now; `firsts` are the first addresses that are known already."""
    if not people:
        return
    known = dict(firsts or {})
    old = people.keys() - known.keys()
    held = await queries.list_identifiers(tx, old)
    for person_id, found in held.items():
        known[person_id] = {one.kind: one.value for one in found if one.is_primary}
    undeliverable = await queries.find_undeliverable(tx, old)
    await touch(tx, people, Family.PROFILE | Family.REACH)
    tx.stage(
        events.persons_changed(
            ((person, known.get(key, {})) for key, person in people.items()), undeliverable
        )
    )
