"""E-mail addresses and phone numbers of a person, one by one."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.national import refuse_national_numbers
from contacts_svc.people import queries
from contacts_svc.people.errors import AddressTaken, ContactInvalid, ErasedBefore, IdentifierUnknown
from contacts_svc.people.model import OWNED, Draft, Identifier, Origin, Person
from contacts_svc.people.rules import Address
from contacts_svc.people.usecases.change import read_addresses
from contacts_svc.people.usecases.save import announce, history_row, write_history
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

MAX_IDENTIFIERS = 50


async def add_identifier(
    tx: Tx, person: Person, *, kind: str, value: str, given: Mapping[str, Any], reason: str
) -> UUID:
    """Give a locked person another e-mail address or phone number; return its id.

    `given` holds `label`, `source`, `valid_from`, `valid_to`, `is_primary` and `is_shared`. A switchboard is always
    shared.

    Raises:
        ContactInvalid: the value or the days cannot be, or there are too many.
        AddressTaken: somebody else is identified by it; a phone may be shared.
        ErasedBefore: its owner has asked to be forgotten.
    """
    given = {**given, "is_shared": given["is_shared"] or given["label"] == "switchboard"}
    refuse_national_numbers({"label": given["label"], "source": given["source"], "reason": reason})
    _check_days(given["valid_from"], given["valid_to"])
    email, phone = read_addresses(
        value if kind == "email" else "", value if kind == "phone" else "", person.country
    )
    address = email or phone
    if address is None:
        raise ContactInvalid("value: write the address or the number")
    if given["is_shared"] and kind != "phone":
        raise ContactInvalid("is_shared: only phones are shared; a mailbox belongs to one contact")
    if await queries.find_suppressed(tx, [Draft({}, email, phone)]):
        raise ErasedBefore("Its owner has asked to be forgotten")
    held = (await queries.list_identifiers(tx, [person.id]))[person.id]
    if any((one.kind, one.value) == address.key for one in held):
        raise AddressTaken("The contact has it already", existing_id=str(person.id))
    if len(held) >= MAX_IDENTIFIERS:
        message = (
            f"A contact has at most {MAX_IDENTIFIERS} identifiers; remove those that have ended"
        )
        raise ContactInvalid(message)
    is_first = not any(one.kind == kind and one.is_primary for one in held)
    if given["is_primary"] and not is_first:
        await _no_primary(tx, person.id, kind)
    identifier_id = await _insert(
        tx, person, address, {**given, "is_primary": given["is_primary"] or is_first}
    )
    await _tell(tx, person, {kind: ["", address.value]}, reason)
    return identifier_id


async def _insert(tx: Tx, person: Person, address: Address, given: Mapping[str, Any]) -> UUID:
    table = table_of(Identifier)
    row = Identifier(
        id=new_id(),
        kind=address.kind.value,
        value=address.value,
        person_id=person.id,
        as_given=address.as_given,
        label=given["label"],
        is_primary=given["is_primary"],
        is_identifying=not given["is_shared"],
        valid_from=given["valid_from"],
        valid_to=given["valid_to"],
        source=given["source"],
        created_at=tx.clock.now(),
    )
    made: UUID | None = await tx.scalar(
        insert(table)
        .values(**row.model_dump())
        .on_conflict_do_nothing(index_elements=OWNED, index_where=table.c.is_identifying)
        .returning(table.c.id)
    )
    if made is None:
        owners = await queries.lock_owners(tx, [address.key])
        owner = owners.get(address.key)
        hint = "; send is_shared when both have it" if address.kind.value == "phone" else ""
        raise AddressTaken(
            f"Another contact has this {address.kind.value}{hint}",
            existing_id=str(owner.id) if owner else None,
        )
    return made


async def change_identifier(
    tx: Tx, person: Person, row: Identifier, given: Mapping[str, Any], *, reason: str
) -> None:
    """Change what is known about an identifier of a locked person.

    Raises:
        ContactInvalid: the days cannot be.
    """
    refuse_national_numbers(
        {name: given[name] for name in ("label", "source") if name in given} | {"reason": reason}
    )
    _check_days(given.get("valid_from", row.valid_from), given.get("valid_to", row.valid_to))
    told = {
        f"{row.kind}.{row.value}.{name}": [_plain(getattr(row, name)), _plain(value)]
        for name, value in given.items()
        if getattr(row, name) != value
    }
    if not told:
        return
    if given.get("is_primary") and not row.is_primary:
        await _no_primary(tx, person.id, row.kind)
    for name, value in given.items():
        setattr(row, name, value)
    await tx.flush()  # the card is told from the rows
    await _tell(tx, person, told, reason)


async def remove_identifier(tx: Tx, person: Person, row: Identifier, *, reason: str) -> None:
    """Remove an identifier of a locked person; another of its kind becomes the first.

    Raises:
        ContactInvalid: it is the last one.
    """
    refuse_national_numbers({"reason": reason})
    held = (await queries.list_identifiers(tx, [person.id]))[person.id]
    if len(held) == 1:
        raise ContactInvalid(
            "A contact needs an e-mail address or a mobile number: give another one first"
        )
    await tx.delete(row)
    # The first one must be gone before another takes its place.
    await tx.flush()
    heir = next((one for one in held if one.kind == row.kind and one.id != row.id), None)
    if row.is_primary and heir is not None:
        heir.is_primary = True
        await tx.flush()  # the card is told from the rows
    await _tell(tx, person, {row.kind: [row.value, ""]}, reason)


async def get_identifier(tx: Tx, person_id: UUID, identifier_id: UUID) -> Identifier:
    """Return an identifier of a person, locked. Raises `IdentifierUnknown`."""
    row: Identifier | None = await tx.scalar(
        select(Identifier)
        .where(col(Identifier.id) == identifier_id, col(Identifier.person_id) == person_id)
        .with_for_update()
    )
    if row is None:
        raise IdentifierUnknown("GET the contact's identifiers to see those that there are")
    return row


async def retire(tx: Tx) -> None:
    """Let identifiers whose time is over be the first no longer, when the person has another of the kind."""
    table = table_of(Identifier)
    other = table.alias("other")
    today = tx.clock.now().date()
    over = plain(
        await tx.execute(
            select(table.c.person_id, table.c.id)
            .where(
                table.c.is_primary,
                table.c.valid_to < today,
                select(other.c.id)
                .where(
                    other.c.person_id == table.c.person_id,
                    other.c.kind == table.c.kind,
                    other.c.id != table.c.id,
                    func.coalesce(other.c.valid_to, today) >= today,
                    func.coalesce(other.c.valid_from, today) <= today,
                )
                .exists(),
            )
            .limit(500)
        )
    )
    for person_id, identifier_id in over:
        person = await queries.get_for_update(tx, person_id)
        held = (await queries.list_identifiers(tx, [person_id]))[person_id]
        old = next(one for one in held if one.id == identifier_id)
        heir = next(
            one
            for one in held
            if one.kind == old.kind
            and one.id != old.id
            and (one.valid_to or today) >= today >= (one.valid_from or today)
        )
        await _no_primary(tx, person_id, old.kind)
        heir.is_primary = True
        await tx.flush()  # the card is told from the rows
        await _tell(tx, person, {old.kind: [old.value, heir.value]}, "its time is over")


async def _no_primary(tx: Tx, person_id: UUID, kind: str) -> None:
    await tx.execute(
        update(Identifier)
        .where(col(Identifier.person_id) == person_id, col(Identifier.kind) == kind)
        .values(is_primary=False)
    )


def _check_days(valid_from: date | None, valid_to: date | None) -> None:
    if valid_from and valid_to and valid_from > valid_to:
        raise ContactInvalid("valid_to: is before valid_from")


def _plain(value: object) -> object:
    return value if isinstance(value, str | bool | None) else str(value)


async def _tell(tx: Tx, person: Person, told: Mapping[str, Any], reason: str) -> None:
    person.version += 1
    person.updated_at = tx.clock.now()
    await write_history(tx, [history_row(person, Origin(tx.actor, reason=reason), None, told)])
    await announce(tx, {person.id: person})
