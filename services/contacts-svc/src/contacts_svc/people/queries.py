"""Reads of people."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, Uuid, bindparam, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.fields.queries import find_secret_keys
from contacts_svc.fields.rules import MASK
from contacts_svc.people.errors import ContactMerged, ContactUnknown
from contacts_svc.people.missing import lacks
from contacts_svc.people.model import (
    Draft,
    Identifier,
    Person,
    PersonAlias,
    PersonChange,
    PostalAddress,
    Reachability,
    ReachEvidence,
    SuppressedAddress,
)
from contacts_svc.people.rules import (
    AddressInvalid,
    IdentifierKind,
    address_hash,
    normalise_email,
    normalise_phone,
)
from contacts_svc.people.schemas import (
    AddressOut,
    ChangeOut,
    ContactOut,
    EvidenceOut,
    IdentifierOut,
    Missing,
    PostalAddressOut,
)
from contacts_svc.settings import ContactsSettings
from kantis_kit.errors import Invalid
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.web.paging import decode_cursor, encode_cursor

Key = tuple[str, str]


def any_of(values: Iterable[UUID]) -> ColumnElement[Any]:
    """Make one array parameter of many ids, to compare a column with."""
    return func.any(bindparam(None, list(values), type_=ARRAY(Uuid()), unique=True))


def _any_text(values: Iterable[str]) -> ColumnElement[Any]:
    return func.any(bindparam(None, list(values), type_=ARRAY(TEXT()), unique=True))


async def lock_owners(tx: Tx, keys: Sequence[Key]) -> dict[Key, Person]:
    """Return who owns these addresses now, locked in the order of their ids."""
    emails = [value for kind, value in keys if kind == IdentifierKind.EMAIL]
    phones = [value for kind, value in keys if kind == IdentifierKind.PHONE]
    rows = await tx.execute(
        select(col(Identifier.kind), col(Identifier.value), Person)
        .join(Person, col(Person.id) == col(Identifier.person_id))
        .where(
            or_(
                (col(Identifier.kind) == "email") & (col(Identifier.value) == _any_text(emails)),
                (col(Identifier.kind) == "phone") & (col(Identifier.value) == _any_text(phones)),
            ),
            col(Identifier.is_identifying),
        )
        .order_by(col(Person.id))
        .with_for_update(of=Person)
    )
    return {(kind, value): person for kind, value, person in plain(rows)}


async def find_known(tx: ReadTx, values: Mapping[str, Iterable[str]]) -> set[Key]:
    """Return which of these normalised addresses, by kind, stand with somebody, whether they identify them or not."""
    found: set[Key] = set()
    for kind, is_identifying in (("email", True), ("phone", True), ("phone", False)):
        if values.get(kind):
            # One text and not an array: the driver looks at each element of an array four times.
            asked = func.string_to_array("\n".join(values[kind]), "\n")
            rows = await tx.scalars(
                select(col(Identifier.value)).where(
                    col(Identifier.kind) == kind,
                    col(Identifier.value) == func.any(asked),
                    col(Identifier.is_identifying)
                    if is_identifying
                    else ~col(Identifier.is_identifying),
                )
            )
            found.update((kind, value) for value in rows)
    return found


async def has_suppressed(tx: ReadTx) -> bool:
    """Say whether any address was erased at its owner's wish."""
    return bool(await tx.scalar(select(select(col(SuppressedAddress.hash)).exists())))


def suppression_key(tx: ReadTx) -> bytes:
    """Return the key of the hashes of erased addresses."""
    return tx.settings(ContactsSettings).suppression_key.get_secret_value().encode()


async def find_suppressed(tx: ReadTx, drafts: Sequence[Draft]) -> set[Key]:
    """Return which of the drafts' addresses were erased at their owners' wish."""
    return await find_suppressed_keys(tx, [key for draft in drafts for key in draft.keys])


async def find_suppressed_keys(tx: ReadTx, keys: Iterable[Key]) -> set[Key]:
    """Return which of these addresses were erased at their owners' wish."""
    secret = suppression_key(tx)
    hashes = {address_hash(secret, key): key for key in keys}
    found = await tx.scalars(
        select(col(SuppressedAddress.hash)).where(
            col(SuppressedAddress.hash)
            == func.any(bindparam("hashes", list(hashes), type_=ARRAY(LargeBinary())))
        )
    )
    return {hashes[bytes(one)] for one in found}


async def list_identifiers(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, list[Identifier]]:
    """Return the addresses of these persons."""
    found: dict[UUID, list[Identifier]] = defaultdict(list)
    rows = await tx.scalars(
        select(Identifier)
        .where(col(Identifier.person_id) == any_of(person_ids))
        .order_by(col(Identifier.kind), col(Identifier.created_at), col(Identifier.value))
    )
    for one in rows:
        found[one.person_id].append(one)
    return found


async def find_undeliverable(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, set[str]]:
    """Return at which kinds of first address messages do not arrive: email, phone, address."""
    chosen = list(person_ids)
    found: dict[UUID, set[str]] = defaultdict(set)
    if not chosen:
        return found
    rows = await tx.execute(
        select(col(Identifier.person_id), col(Identifier.kind))
        .where(
            col(Identifier.person_id) == any_of(chosen),
            col(Identifier.is_primary),
            or_(
                col(Identifier.reachability) == Reachability.UNDELIVERABLE,
                col(Identifier.validity) == "invalid",
            ),
        )
        .union(
            select(col(PostalAddress.person_id), literal("address")).where(
                col(PostalAddress.person_id) == any_of(chosen),
                col(PostalAddress.is_in_use),
                col(PostalAddress.reachability) == Reachability.UNDELIVERABLE,
            )
        )
    )
    for person_id, kind in plain(rows):
        found[person_id].add(kind)
    return found


async def resolve(tx: ReadTx, person_id: UUID) -> UUID:
    """Return the id of the person who is known: that of another when this one was merged into them."""
    known: UUID | None = await tx.scalar(
        select(col(PersonAlias.known_id)).where(col(PersonAlias.merged_id) == person_id)
    )
    return known or person_id


async def get_for_update(tx: Tx, person_id: UUID) -> Person:
    """Return a person, locked.

    Raises:
        ContactUnknown: never there, or erased.
        ContactMerged: somebody else is this person now; `known_id` says who.
    """
    person: Person | None = await tx.scalar(
        select(Person).where(col(Person.id) == person_id, ~col(Person.is_erased)).with_for_update()
    )
    known = await resolve(tx, person_id)
    if known != person_id:
        raise ContactMerged(f"Change contact {known} instead", known_id=str(known))
    if person is None:
        raise ContactUnknown("It was never there, or it was erased")
    return person


async def lock_people(tx: Tx, person_ids: Sequence[UUID]) -> dict[UUID, Person]:
    """Return those of these persons who are known, locked in the order of their ids."""
    rows = await tx.scalars(
        select(Person)
        .where(col(Person.id) == any_of(person_ids), ~col(Person.is_erased))
        .order_by(col(Person.id))
        .with_for_update()
    )
    return {person.id: person for person in rows}


async def list_addresses(tx: ReadTx, person_id: UUID) -> list[PostalAddressOut]:
    """Return the postal addresses of a contact, the newest days first."""
    await get_contact(tx, person_id)
    rows = await tx.scalars(
        select(PostalAddress)
        .where(col(PostalAddress.person_id) == await resolve(tx, person_id))
        .order_by(col(PostalAddress.valid_from).desc().nulls_last(), col(PostalAddress.id).desc())
    )
    return [PostalAddressOut.model_validate(row) for row in rows]


async def list_evidence(
    tx: ReadTx, *, identifier_id: UUID | None = None, address_id: UUID | None = None
) -> list[EvidenceOut]:
    """Return what has happened at an address, the newest first, what was undone included."""
    rows = await tx.scalars(
        select(ReachEvidence)
        .where(
            or_(
                col(ReachEvidence.identifier_id) == identifier_id,
                col(ReachEvidence.postal_address_id) == address_id,
            )
        )
        .order_by(col(ReachEvidence.occurred_at).desc(), col(ReachEvidence.id).desc())
        .limit(200)
    )
    return [EvidenceOut.model_validate(row) for row in rows]


async def get_contact(tx: ReadTx, person_id: UUID) -> ContactOut:
    """Return one contact; the id of one who was merged answers with the one who is known. Raises `ContactUnknown`."""
    known = await resolve(tx, person_id)
    person = await tx.get(Person, known)
    if person is None or person.is_erased:
        raise ContactUnknown("It was never there, or it was erased")
    identifiers = await list_identifiers(tx, [known])
    contact = contact_out(person, identifiers[known])
    await _mask(tx, [contact])
    contact.merged_from = person_id if known != person_id else None
    return contact


def contact_out(person: Person, identifiers: Sequence[Identifier]) -> ContactOut:
    """Shape a person for the API."""
    first = {one.kind: one.value for one in identifiers if one.is_primary}
    address = None
    if person.street or person.postal_code or person.city:
        address = AddressOut(
            street=person.street,
            postal_code=person.postal_code,
            city=person.city,
            country=person.address_country,
        )
    return ContactOut(
        id=person.id,
        version=person.version,
        preferred_name=person.preferred_name,
        salutation=person.salutation,
        given_name=person.given_name,
        family_name=person.family_name,
        full_name=person.full_name,
        email=first.get("email"),
        phone=first.get("phone"),
        language=person.language,
        country=person.country,
        time_zone=person.time_zone,
        lifecycle=person.lifecycle,
        recipient_kind=person.recipient_kind,
        do_not_contact=person.do_not_contact,
        not_before=person.not_before,
        custom=person.custom or {},
        address=address,
        source=person.source,
        note=person.note,
        identifiers=[IdentifierOut.model_validate(one) for one in identifiers],
        created_at=person.created_at,
        updated_at=person.updated_at,
    )


async def list_contacts(
    tx: ReadTx,
    *,
    email: str | None,
    phone: str | None,
    q: str | None,
    missing: Missing | None,
    cursor: str | None,
    limit: int,
) -> tuple[list[ContactOut], str | None]:
    """Return contacts in the order of their making, and the cursor of the next page."""
    wanted = select(Person).where(~col(Person.is_erased)).order_by(col(Person.id)).limit(limit + 1)
    after = decode_cursor(cursor, 1)
    if after:
        wanted = wanted.where(col(Person.id) > _uuid(after[0]))
    if missing:
        wanted = wanted.where(lacks(missing))
    for kind, given in (("email", email), ("phone", phone)):
        if given:
            value = _lookup(kind, given)
            wanted = wanted.where(
                col(Person.id).in_(
                    select(col(Identifier.person_id)).where(
                        col(Identifier.kind) == kind, col(Identifier.value) == value
                    )
                )
            )
    if q:
        pattern = text_pattern(q)
        by_address = select(col(Identifier.person_id)).where(
            col(Identifier.value).like(pattern.lower(), escape="\\")
        )
        wanted = wanted.where(
            or_(
                col(Person.full_name).ilike(pattern, escape="\\"),
                col(Person.preferred_name).ilike(pattern, escape="\\"),
                col(Person.id).in_(by_address),
            )
        )
    people = (await tx.scalars(wanted)).all()
    shown = people[:limit]
    identifiers = await list_identifiers(tx, [person.id for person in shown])
    more = encode_cursor(shown[-1].id) if len(people) > limit else None
    contacts = [contact_out(person, identifiers[person.id]) for person in shown]
    await _mask(tx, contacts)
    return contacts, more


async def _mask(tx: ReadTx, contacts: Sequence[ContactOut]) -> None:
    """Show that there are identity numbers, not what they are."""
    held = await find_secret_keys(tx, [contact.id for contact in contacts])
    for contact in contacts:
        contact.custom = {**contact.custom, **dict.fromkeys(held.get(contact.id, ()), MASK)}


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise Invalid("cursor: take it from next_cursor of the page before, unchanged") from error


def _lookup(kind: str, given: str) -> str:
    if "\x00" in given:
        raise Invalid(f"{kind}: holds a NUL character")
    try:
        found = normalise_email(given) if kind == "email" else normalise_phone(given, "NO")
    except AddressInvalid as error:
        raise Invalid(f"{kind}: {error}") from error
    return found.value


def text_pattern(q: str) -> str:
    """Return what a text is searched by, with the signs of LIKE taken as they are. Raises `Invalid`."""
    if "\x00" in q:
        raise Invalid("q: holds a NUL character")
    plain = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


async def list_changes(
    tx: ReadTx, person_id: UUID, *, limit: int, before: int | None = None
) -> list[ChangeOut]:
    """Return what was changed of a contact, the newest first; `before` is the number of the last one seen."""
    await get_contact(tx, person_id)
    wanted = (
        select(PersonChange)
        .where(col(PersonChange.person_id) == person_id)
        .order_by(col(PersonChange.id).desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(col(PersonChange.id) < before)
    return [ChangeOut.model_validate(row) for row in await tx.scalars(wanted)]
