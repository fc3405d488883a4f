"""What is done with organisations, and with what people are in them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.national import refuse_national_numbers
from contacts_svc.organisations import events, queries
from contacts_svc.organisations.errors import (
    LinkInvalid,
    LinkTaken,
    NumberTaken,
    OrganisationInUse,
    OrganisationInvalid,
    ParentsCircular,
)
from contacts_svc.organisations.model import (
    LINK_TOLD,
    TOLD,
    Organisation,
    OrganisationChange,
    PersonLink,
)
from contacts_svc.organisations.rules import NumberInvalid, read_number
from contacts_svc.people import queries as people_queries
from contacts_svc.people.model import Origin, Person
from contacts_svc.people.rules import AddressInvalid, normalise_email, normalise_phone
from contacts_svc.people.usecases.save import history_row, write_history
from contacts_svc.touched import Family, touch
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.postal import PostalInvalid, read_post
from kantis_kit.tx import Tx

_FREE_TEXT = ("name", "source", "note", "website", "street", "city", "reason")
_LINK_TEXT = ("role", "title", "do_not_contact_reason", "source", "reason")
_AS_THEY_ARE = (
    "name",
    "kind",
    "country",
    "parent_id",
    "website",
    "source",
    "note",
    "do_not_contact",
    "not_before",
)
MAX_LINKS = 1_000
_TREE = 0x6B616E746F726773
"""The advisory lock of whoever changes who belongs to whom."""


async def add_organisation(tx: Tx, given: Mapping[str, Any]) -> Organisation:
    """Add an organisation.

    Raises:
        OrganisationInvalid: the number, an address or the parent cannot be.
        NumberTaken: another organisation of the country has the number; `existing_id` says which.
    """
    now = tx.clock.now()
    organisation_id = new_id()
    values = _read(given, country=given["country"], number=given["number"])
    await _check_place(tx, organisation_id, values, set(values))
    row = Organisation(id=organisation_id, created_at=now, updated_at=now, **values)
    tx.add(row)
    told = {name: ["", value] for name in TOLD if (value := getattr(row, name))}
    _tell(tx, row, told, "")
    return row


async def change_organisation(
    tx: Tx, row: Organisation, given: Mapping[str, Any], *, reason: str
) -> None:
    """Change a locked organisation; `given` holds what is said.

    Raises:
        OrganisationInvalid: the number, an address or the parent cannot be.
        NumberTaken: another organisation of the country has the number.
        ParentsCircular: it would belong to itself.
    """
    refuse_national_numbers({"reason": reason})
    values = _read(given, country=row.country, number=row.number_as_given)
    told = {
        name: [getattr(row, name), values[name]]
        for name in TOLD
        if name in values and values[name] != getattr(row, name)
    }
    if not told:
        return
    await _check_place(tx, row.id, {**row.model_dump(), **values}, set(told))
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = tx.clock.now()
    _tell(tx, row, told, reason)
    links = list(
        await tx.scalars(select(PersonLink).where(col(PersonLink.organisation_id) == row.id))
    )
    await touch(tx, [link.person_id for link in links], Family.LINK)
    if links:
        tx.stage(events.links_changed((link, row) for link in links))


def _tell(tx: Tx, row: Organisation, told: Mapping[str, Any], reason: str) -> None:
    plain = {name: [_plain(one) for one in pair] for name, pair in told.items()}
    tx.add(
        OrganisationChange(
            organisation_id=row.id,
            version=row.version,
            at=row.updated_at,
            actor=tx.actor,
            reason=reason,
            changes=plain,
        )
    )


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | None) else str(value)


def _read(given: Mapping[str, Any], *, country: str, number: str) -> dict[str, Any]:
    """Return what is said, normalised; what was given stands beside it. `country` and `number` are those so far."""
    refuse_national_numbers({name: given[name] for name in _FREE_TEXT if name in given})
    values = {name: given[name] for name in _AS_THEY_ARE if name in given}
    country = values.get("country", country)
    if "number" in given or "country" in given:
        number = given.get("number", number)
        try:
            values["number"] = read_number(number, country)
        except NumberInvalid as error:
            raise _invalid("number", str(error)) from error
        values["number_as_given"] = number
    for name, read in (
        ("email", normalise_email),
        ("phone", lambda text: normalise_phone(text, country)),
    ):
        if name in given:
            try:
                values[name] = read(given[name]).value if given[name] else ""
            except AddressInvalid as error:
                raise _invalid(name, str(error)) from error
    return values | (_read_address(given, country) if "street" in given else {})


def _read_address(given: Mapping[str, Any], country: str) -> dict[str, str]:
    parts = {name: given[name] for name in ("street", "postal_code", "city")}
    country = given["address_country"] or country
    try:
        post = read_post(**parts, country=country)
    except PostalInvalid as error:
        raise _invalid(f"address.{error.field}", str(error)) from error
    kept = {"street": post.street, "postal_code": post.postal_code, "city": post.city}
    return {
        **kept,
        "address_country": "" if post.is_empty() else country,
        "address_as_given": "" if kept == parts else "\n".join(parts.values()),
    }


def _invalid(field: str, message: str) -> OrganisationInvalid:
    return OrganisationInvalid(
        f"{field}: {message}", errors=[{"in": "body", "field": field, "message": message}]
    )


async def _check_place(
    tx: Tx, organisation_id: UUID, values: Mapping[str, Any], told: set[str]
) -> None:
    """Refuse a number that is taken, and circles.

    Whoever says a number or a parent does so alone: two changes cannot take one number, or close a circle, together.
    """
    parent_id = values.get("parent_id") if "parent_id" in told else None
    number = values.get("number") if {"number", "country"} & told else ""
    if parent_id or number:
        await tx.execute(select(func.pg_advisory_xact_lock(_TREE)))
    if number:
        taken = await tx.scalar(
            select(col(Organisation.id)).where(
                col(Organisation.country) == values["country"],
                col(Organisation.number) == number,
                col(Organisation.id) != organisation_id,
            )
        )
        if taken is not None:
            raise NumberTaken(
                "Change that organisation instead, or leave the number out", existing_id=str(taken)
            )
    if parent_id:
        await _check_parent(tx, organisation_id, parent_id)


async def _check_parent(tx: Tx, organisation_id: UUID, parent_id: UUID) -> None:
    if parent_id == organisation_id:
        raise ParentsCircular("parent_id: name another organisation")
    chain = await queries.above(tx, parent_id)
    if not chain:
        raise _invalid("parent_id", "there is no such organisation")
    if organisation_id in chain:
        raise ParentsCircular("parent_id: that organisation belongs to this one, directly or not")
    if len(chain) >= queries.MAX_DEPTH:
        raise _invalid("parent_id", f"organisations stand at most {queries.MAX_DEPTH} deep")


async def delete_organisation(tx: Tx, row: Organisation) -> None:
    """Delete a locked organisation to which nobody belongs. Raises `OrganisationInUse`."""
    used = await tx.scalar(
        select(
            or_(
                select(col(PersonLink.id))
                .where(col(PersonLink.organisation_id) == row.id)
                .exists(),
                select(col(Organisation.id)).where(col(Organisation.parent_id) == row.id).exists(),
            )
        )
    )
    if used:
        raise OrganisationInUse("Remove the links and the organisations below it first")
    _tell(tx, row, {"name": [row.name, ""]}, "deleted")
    await tx.delete(row)


async def add_link(tx: Tx, person: Person, given: Mapping[str, Any], *, reason: str) -> UUID:
    """Say what a locked person is in an organisation.

    Raises:
        OrganisationUnknown: there is no such organisation.
        LinkTaken: the person is that there already.
        LinkInvalid: the days cannot be.
    """
    refuse_national_numbers(
        {name: given[name] for name in _LINK_TEXT if name in given} | {"reason": reason}
    )
    organisation = await queries.get_organisation(tx, given["organisation_id"])
    held = await tx.scalar(select(func.count()).where(col(PersonLink.person_id) == person.id))
    if held >= MAX_LINKS:
        message = f"A contact has at most {MAX_LINKS} links; remove those that have ended"
        raise LinkInvalid(message)
    now = tx.clock.now()
    link = PersonLink(id=new_id(), person_id=person.id, created_at=now, updated_at=now, **given)
    _check_days(link)
    others = await _only_main(tx, link) if link.is_main else []
    made = await tx.scalar(
        insert(table_of(PersonLink))
        .values(**link.model_dump())
        .on_conflict_do_nothing()
        .returning(table_of(PersonLink).c.id)
    )
    if made is None:
        raise LinkTaken(
            f"The contact is {link.role!r} in {organisation.name!r} already: change that link"
        )
    told = {f"link.{link.role}": ["", organisation.name]}
    await _tell_person(tx, person, told, reason)
    tx.stage(events.links_changed([(link, organisation), *others]))
    return link.id


async def change_link(
    tx: Tx, person: Person, link: PersonLink, given: Mapping[str, Any], *, reason: str
) -> None:
    """Change a locked link of a locked person.

    Raises:
        LinkTaken: the person has the new role there already.
        LinkInvalid: the days cannot be.
    """
    refuse_national_numbers(
        {name: given[name] for name in _LINK_TEXT if name in given} | {"reason": reason}
    )
    role = link.role
    if given.get("role", role) != role:
        await _check_role(tx, link, given["role"])
    told = {}
    for name in LINK_TOLD:
        if name in given and given[name] != getattr(link, name):
            told[f"link.{role}.{name}"] = [_plain(getattr(link, name)), _plain(given[name])]
    if not told:
        return
    others = []
    if given.get("is_main") and not link.is_main:
        others = await _only_main(tx, link)
    for name in LINK_TOLD:
        if name in given:
            setattr(link, name, given[name])
    _check_days(link)
    link.version += 1
    link.updated_at = tx.clock.now()
    await _tell_person(tx, person, told, reason)
    organisation = await queries.get_organisation(tx, link.organisation_id)
    tx.stage(events.links_changed([(link, organisation), *others]))


async def _check_role(tx: Tx, link: PersonLink, role: str) -> None:
    taken = await tx.scalar(
        select(col(PersonLink.id)).where(
            col(PersonLink.person_id) == link.person_id,
            col(PersonLink.organisation_id) == link.organisation_id,
            col(PersonLink.role) == role,
        )
    )
    if taken is not None:
        raise LinkTaken("role: the contact has that role there already", existing_id=str(taken))


async def remove_link(tx: Tx, person: Person, link: PersonLink) -> None:
    """Remove a locked link of a locked person."""
    organisation = await queries.get_organisation(tx, link.organisation_id)
    await tx.delete(link)
    await _tell_person(tx, person, {f"link.{link.role}": [organisation.name, ""]}, "")
    tx.stage(events.links_changed([(link, organisation)], is_removed=True))


async def _only_main(tx: Tx, link: PersonLink) -> list[tuple[PersonLink, Organisation]]:
    """Let no other link of the person be the main one; return what was changed by that."""
    before = await tx.execute(
        select(PersonLink, Organisation)
        .join(Organisation, col(Organisation.id) == col(PersonLink.organisation_id))
        .where(
            col(PersonLink.person_id) == link.person_id,
            col(PersonLink.id) != link.id,
            col(PersonLink.is_main),
        )
    )
    others = plain(before)
    for other, _ in others:
        other.is_main = False
        other.version += 1
    # The index of main links is asked at each statement: the old one gives way first.
    await tx.flush()
    return [(other, organisation) for other, organisation in others]


def _check_days(link: PersonLink) -> None:
    if link.valid_from and link.valid_to and link.valid_from > link.valid_to:
        raise LinkInvalid("valid_to: is before valid_from")


async def _tell_person(tx: Tx, person: Person, told: Mapping[str, Any], reason: str) -> None:
    # The card of the person says nothing of links: neither its version nor its copies change.
    row = history_row(person, Origin(tx.actor, reason=reason), None, told)
    await write_history(tx, [(*row[:2], tx.clock.now(), *row[3:])])
    await touch(tx, [person.id], Family.LINK)


async def forget_links(tx: Tx, person_ids: list[UUID]) -> None:
    """Remove every link of these persons."""
    table = table_of(PersonLink)
    rows = column_set("forgotten", {"person_id": (table.c.person_id.type, person_ids)})
    await tx.execute(delete(table).where(table.c.person_id.in_(select(rows.c.person_id))))


async def get_person(tx: Tx, person_id: UUID) -> Person:
    """Return a person, locked. Raises `ContactUnknown` or `ContactMerged`."""
    return await people_queries.get_for_update(tx, person_id)
