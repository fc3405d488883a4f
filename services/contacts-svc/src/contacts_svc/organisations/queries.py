"""Reads of organisations and links."""

from datetime import date
from uuid import UUID

from sqlalchemy import Select, func, literal, or_, select
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.organisations.errors import (
    LinkUnknown,
    OrganisationInvalid,
    OrganisationUnknown,
)
from contacts_svc.organisations.model import Organisation, OrganisationChange, PersonLink
from contacts_svc.organisations.rules import NumberInvalid, read_number
from contacts_svc.organisations.schemas import LinkOut, OrganisationChangeOut, OrganisationOut
from contacts_svc.people.model import Person
from contacts_svc.people.queries import resolve, text_pattern
from contacts_svc.people.schemas import AddressOut
from kantis_kit.postal import PostalInvalid, read_post
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.web.paging import encode_cursor, read_cursor

MAX_DEPTH = 20


def _read_id(text: str) -> UUID:
    return UUID(text)


def _read_relevance(text: str) -> int:
    relevance = int(text)
    if relevance not in range(101):
        message = "no relevance is like this"
        raise ValueError(message)
    return relevance


def organisation_out(one: Organisation) -> OrganisationOut:
    """Shape an organisation for the API."""
    address = None
    warnings: tuple[str, ...] = ()
    if one.street or one.postal_code or one.city:
        address = AddressOut(
            street=one.street,
            postal_code=one.postal_code,
            city=one.city,
            country=one.address_country,
        )
        try:
            warnings = read_post(
                street=one.street,
                postal_code=one.postal_code,
                city=one.city,
                country=one.address_country,
            ).warnings
        except PostalInvalid as error:
            warnings = (f"{error.field}: {error}",)
    return OrganisationOut(
        **one.model_dump(
            exclude={"street", "postal_code", "city", "address_country"},
        ),
        address=address,
        warnings=list(warnings),
    )


async def get_organisation(tx: ReadTx, organisation_id: UUID) -> Organisation:
    """Return an organisation. Raises `OrganisationUnknown`."""
    found = await tx.get(Organisation, organisation_id)
    if found is None:
        raise OrganisationUnknown("It was never there, or it was deleted")
    return found


async def get_for_update(tx: Tx, organisation_id: UUID) -> Organisation:
    """Return an organisation, locked. Raises `OrganisationUnknown`."""
    found: Organisation | None = await tx.scalar(
        select(Organisation).where(col(Organisation.id) == organisation_id).with_for_update()
    )
    if found is None:
        raise OrganisationUnknown("It was never there, or it was deleted")
    return found


async def list_organisations(
    tx: ReadTx,
    *,
    q: str | None,
    number: str | None,
    country: str | None,
    parent_id: UUID | None,
    cursor: str | None,
    limit: int,
) -> tuple[list[OrganisationOut], str | None]:
    """Return organisations in the order of their making, and the cursor of the next page."""
    wanted = select(Organisation).order_by(col(Organisation.id)).limit(limit + 1)
    after = read_cursor(cursor, _read_id)
    if after:
        wanted = wanted.where(col(Organisation.id) > after[0])
    if country:
        wanted = wanted.where(col(Organisation.country) == country)
    if parent_id:
        wanted = wanted.where(col(Organisation.parent_id) == parent_id)
    if q:
        wanted = wanted.where(
            func.lower(col(Organisation.name)).like(text_pattern(q).lower(), escape="\\")
        )
    if number:
        text_pattern(number)
        try:
            wanted = wanted.where(col(Organisation.number) == read_number(number, country or "NO"))
        except NumberInvalid as error:
            message = f"number: {error}; name the country when it is not NO"
            raise OrganisationInvalid(message) from error
    found = (await tx.scalars(wanted)).all()
    shown = [organisation_out(one) for one in found[:limit]]
    return shown, encode_cursor(shown[-1].id) if len(found) > limit else None


async def above(tx: ReadTx, organisation_id: UUID) -> list[UUID]:
    """Return an organisation and those it belongs to, the nearest first."""
    first = select(
        col(Organisation.id), col(Organisation.parent_id), literal(1).label("depth")
    ).where(col(Organisation.id) == organisation_id)
    chain = first.cte("chain", recursive=True)
    chain = chain.union_all(
        select(col(Organisation.id), col(Organisation.parent_id), chain.c.depth + 1)
        .join(chain, chain.c.parent_id == col(Organisation.id))
        .where(chain.c.depth <= MAX_DEPTH)
    )
    return list(await tx.scalars(select(chain.c.id).order_by(chain.c.depth)))


async def list_changes(
    tx: ReadTx, organisation_id: UUID, *, limit: int, before: int | None
) -> list[OrganisationChangeOut]:
    """Return what was changed of an organisation, the newest first."""
    await get_organisation(tx, organisation_id)
    wanted = (
        select(OrganisationChange)
        .where(col(OrganisationChange.organisation_id) == organisation_id)
        .order_by(col(OrganisationChange.id).desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(col(OrganisationChange.id) < before)
    return [OrganisationChangeOut.model_validate(row) for row in await tx.scalars(wanted)]


def silent_because(
    link: PersonLink, person: Person, organisation: Organisation, today: date
) -> str:
    """Say why a person must not be approached in this role today; empty when they may be."""
    for who, one in (("the contact", person), ("the organisation", organisation)):
        if one.do_not_contact:
            return f"{who} wants no contact"
        if one.not_before is not None and one.not_before > today:
            return f"{who} wants no contact before {one.not_before}"
    if link.do_not_contact:
        return link.do_not_contact_reason or "no contact is wanted in this role"
    if link.not_before is not None and link.not_before > today:
        return f"no contact is wanted in this role before {link.not_before}"
    if (link.valid_from and link.valid_from > today) or (link.valid_to and link.valid_to < today):
        return "the contact does not have this role today"
    return ""


def _links() -> Select[PersonLink, Person, Organisation]:
    return (
        select(PersonLink, Person, Organisation)
        .join(Person, col(Person.id) == col(PersonLink.person_id))
        .join(Organisation, col(Organisation.id) == col(PersonLink.organisation_id))
        .where(~col(Person.is_erased))
    )


async def _shape(tx: ReadTx, wanted: Select[PersonLink, Person, Organisation]) -> list[LinkOut]:
    today = tx.clock.now().date()
    return [
        LinkOut(
            **link.model_dump(),
            person_name=person.full_name or person.preferred_name,
            organisation_name=organisation.name,
            silent_because=silent_because(link, person, organisation, today),
        )
        for link, person, organisation in plain(await tx.execute(wanted))
    ]


async def list_links(tx: ReadTx, person_id: UUID) -> list[LinkOut]:
    """Return what a contact is and where, the main one first."""
    known = await resolve(tx, person_id)
    return await _shape(
        tx,
        _links()
        .where(col(PersonLink.person_id) == known)
        .order_by(
            col(PersonLink.is_main).desc(), col(PersonLink.relevance).desc(), col(PersonLink.id)
        )
        .limit(1_000),
    )


async def list_people(
    tx: ReadTx, organisation_id: UUID, *, role: str | None, cursor: str | None, limit: int
) -> tuple[list[LinkOut], str | None]:
    """Return who is what in an organisation, the most relevant first."""
    await get_organisation(tx, organisation_id)
    wanted = (
        _links()
        .where(col(PersonLink.organisation_id) == organisation_id)
        .order_by(col(PersonLink.relevance).desc(), col(PersonLink.id))
        .limit(limit + 1)
    )
    if role:
        text_pattern(role)
        wanted = wanted.where(col(PersonLink.role) == role)
    after = read_cursor(cursor, _read_relevance, _read_id)
    if after:
        relevance, link_id = after
        wanted = wanted.where(
            or_(
                col(PersonLink.relevance) < relevance,
                (col(PersonLink.relevance) == relevance) & (col(PersonLink.id) > link_id),
            )
        )
    found = await _shape(tx, wanted)
    shown = found[:limit]
    more = encode_cursor(shown[-1].relevance, shown[-1].id) if len(found) > limit else None
    return shown, more


async def get_link_for_update(tx: Tx, person_id: UUID, link_id: UUID) -> PersonLink:
    """Return a link, locked. Raises `LinkUnknown`."""
    found: PersonLink | None = await tx.scalar(
        select(PersonLink)
        .where(col(PersonLink.id) == link_id, col(PersonLink.person_id) == person_id)
        .with_for_update()
    )
    if found is None:
        raise LinkUnknown("GET the contact's links to see those that there are")
    return found


async def get_link(tx: ReadTx, link_id: UUID) -> LinkOut:
    """Return one link as the API shows it. Raises `LinkUnknown`."""
    found = await _shape(tx, _links().where(col(PersonLink.id) == link_id))
    if not found:
        raise LinkUnknown("GET the contact's links to see those that there are")
    return found[0]
