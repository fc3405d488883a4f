"""One person made or changed on purpose: what is given is checked, and refused with a reason."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.fields.queries import load as load_fields
from contacts_svc.fields.usecases import check_values, write_values
from contacts_svc.national import NationalNumberRefused, refuse_national_numbers
from contacts_svc.people import queries
from contacts_svc.people.errors import AddressTaken, ContactInvalid, ErasedBefore
from contacts_svc.people.model import (
    FREE_TEXT,
    NAMES,
    OWNED,
    Draft,
    Identifier,
    OnExisting,
    Origin,
    Person,
    Verdict,
)
from contacts_svc.people.plain import read_email
from contacts_svc.people.rules import (
    Address,
    AddressInvalid,
    normalise_email,
    normalise_phone,
)
from contacts_svc.people.usecases.save import (
    ERASED,
    announce,
    history_row,
    save_drafts,
    set_fields,
    set_values,
    write_history,
)
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx


def check_texts(fields: Mapping[str, str]) -> None:
    """Refuse national identity numbers in what people write freely. Raises `ContactInvalid`."""
    try:
        refuse_national_numbers({name: fields.get(name, "") for name in (*FREE_TEXT, "reason")})
    except NationalNumberRefused as error:
        raise ContactInvalid(error.detail, errors=error.errors) from error


def read_addresses(email: str, phone: str, country: str) -> tuple[Address | None, Address | None]:
    """Normalise what was given. Raises `ContactInvalid` naming the field."""
    try:
        found_email = (read_email(email) or normalise_email(email)) if email else None
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
    fields: Mapping[str, str],
    *,
    email: str,
    phone: str,
    shares_phone: bool | None = None,
    after_erasure: bool = False,
) -> Draft:
    """Check a description of one person and normalise it.

    Raises:
        ContactInvalid: no name, no address, an address that cannot be, or a national identity number.
    """
    check_texts(fields)
    found_email, found_phone = read_addresses(email, phone, fields.get("country") or "NO")
    draft = Draft(
        dict(fields),
        found_email,
        found_phone,
        shares_phone=shares_phone,
        after_erasure=after_erasure,
    )
    if not draft.has_name():
        raise ContactInvalid(
            "A contact needs a name: give preferred_name, full_name, given_name or family_name"
        )
    if not draft.addresses:
        raise ContactInvalid(
            "A contact needs an e-mail address or a mobile number; one of them is enough"
        )
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
            "Change that contact instead, or leave the address out; two people with one phone are kept with "
            "phone_is_shared",
            existing_id=taken[0],
            existing_ids=taken,
        )
    return saved.person_id


async def check_custom(tx: Tx, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of declared fields as they are kept. Raises `ValuesInvalid`."""
    return check_values(await load_fields(tx), given) if given else {}


async def change_contact(
    tx: Tx,
    person: Person,
    fields: Mapping[str, Any],
    *,
    email: str | None,
    phone: str | None,
    custom: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Change a locked person; an empty address removes it, but the last address and the last name stay.

    Raises:
        ContactInvalid: nothing would be left to call or reach the person by, or a value cannot be kept.
        AddressTaken: somebody else has the address.
        ValuesInvalid: a value does not fit its declared field.
    """
    check_texts({name: fields.get(name, "") for name in FREE_TEXT} | {"reason": reason})
    told: dict[str, Any] = set_fields(person, fields)
    if custom:
        declared = await load_fields(tx)
        said, changed = set_values(person, check_values(declared, custom), declared)
        told.update(said)
        await write_values(tx, declared, {person.id: changed})
    if not any(getattr(person, name) for name in NAMES):
        raise ContactInvalid("A contact needs a name: one of the four names must stay")
    addresses = read_addresses(email or "", phone or "", person.country)
    for kind, wanted, address in (("email", email, addresses[0]), ("phone", phone, addresses[1])):
        if wanted is not None:
            told.update(await _replace_address(tx, person, kind, address))
    if not told:
        return
    person.version += 1
    person.updated_at = tx.clock.now()
    await write_history(tx, [history_row(person, Origin(tx.actor, reason=reason), None, told)])
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
        raise ContactInvalid(
            "A contact needs an e-mail address or a mobile number: give another one first"
        )
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
            id=new_id(),
            kind=address.kind.value,
            value=address.value,
            person_id=person.id,
            as_given=address.as_given,
            label="",
            is_primary=True,
            is_identifying=True,
            source="",
            validity="valid",
            reachability="unknown",
            reach_reason="",
            created_at=tx.clock.now(),
        )
        .on_conflict_do_nothing(
            index_elements=OWNED, index_where=table_of(Identifier).c.is_identifying
        )
        .returning(table_of(Identifier).c.person_id)
    )
    if mine is None:
        owners = await queries.lock_owners(tx, [address.key])
        owner = owners.get(address.key)
        raise AddressTaken(
            f"Another contact has this {address.kind.value}",
            existing_id=str(owner.id) if owner else None,
        )
