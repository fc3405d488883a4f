"""Who is spared a call: of several who answer one phone, all but the most relevant, and those who must not be called."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Uuid,
    case,
    column,
    func,
    literal,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from contacts_svc.base import Moment, plain, table_of
from contacts_svc.organisations.errors import AudienceUnknown
from contacts_svc.organisations.model import Organisation, PersonLink
from contacts_svc.organisations.queries import silent_because
from contacts_svc.organisations.schemas import SparedLinkOut, SparedOut, SparedPhoneOut
from contacts_svc.people.model import Identifier, Person, PersonAlias
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import encode_cursor, read_cursor

# Frozen audiences belong to the segments, which stand above this slice.
_audience = table("frozen_audience", column("launch_id", Uuid()), column("frozen_at", Moment))
_page = table("frozen_page", column("launch_id", Uuid()), column("person_ids", ARRAY(Uuid())))
OUTRANKED = "somebody more relevant is called on this number"


def _is_silent(on: date) -> ColumnElement[bool]:
    """Say in SQL what `silent_because` says in words."""
    marks = (Person, Organisation, PersonLink)
    return or_(
        *(col(one.do_not_contact) for one in marks),
        *(func.coalesce(col(one.not_before) > on, False) for one in marks),
        func.coalesce(col(PersonLink.valid_from) > on, False),
        func.coalesce(col(PersonLink.valid_to) < on, False),
    )


def _ranked(on: date, role: str | None, launch_id: UUID | None) -> Subquery:
    silent = _is_silent(on)
    place = func.row_number().over(
        partition_by=col(Identifier.value),
        order_by=(
            case((silent, 1), else_=0),
            col(PersonLink.relevance).desc(),
            col(PersonLink.is_main).desc(),
            col(PersonLink.id),
        ),
    )
    wanted: Select[*tuple[Any, ...]] = (
        select(
            col(Identifier.value).label("phone"),
            col(PersonLink.id).label("link_id"),
            silent.label("is_silent"),
            (silent | (place > literal(1, Integer()))).label("is_spared"),
        )
        .join(Person, col(Person.id) == col(PersonLink.person_id))
        .join(Organisation, col(Organisation.id) == col(PersonLink.organisation_id))
        .join(Identifier, col(Identifier.person_id) == col(PersonLink.person_id))
        .where(~col(Person.is_erased), col(Identifier.kind) == "phone", col(Identifier.is_primary))
    )
    if role:
        wanted = wanted.where(col(PersonLink.role) == role)
    if launch_id is not None:
        wanted = wanted.where(col(PersonLink.person_id).in_(_members(launch_id)))
    return wanted.subquery("ranked")


def _members(launch_id: UUID) -> Select[Any]:
    """Return who is in an audience, by the ids that they have now: some were merged after it was frozen."""
    frozen = (
        select(func.unnest(_page.c.person_ids, type_=Uuid()).label("id"))
        .where(_page.c.launch_id == launch_id)
        .subquery("frozen")
    )
    return select(func.coalesce(col(PersonAlias.known_id), frozen.c.id)).select_from(
        frozen.outerjoin(table_of(PersonAlias), col(PersonAlias.merged_id) == frozen.c.id)
    )


async def list_spared(
    tx: ReadTx,
    *,
    on: date | None,
    role: str | None,
    launch_id: UUID | None = None,
    cursor: str | None,
    limit: int,
) -> SparedOut:
    """Return by phone who is called on a day and who is spared, with the reason, and how many there are in all.

    With a launch: of those in its audience alone, on the day of the launch when no other is given. Who was merged since
    counts as the contact that they are part of now.

    Raises:
        AudienceUnknown: the launch has no audience here.
    """
    launched_on = await _day_of(tx, launch_id)
    on = on or launched_on
    ranked = _ranked(on, role, launch_id)
    silent, outranked = plain(
        await tx.execute(
            select(
                func.count().filter(ranked.c.is_silent),
                func.count().filter(ranked.c.is_spared & ~ranked.c.is_silent),
            )
        )
    )[0]
    phones = (
        select(ranked.c.phone)
        .where(ranked.c.is_spared)
        .distinct()
        .order_by(ranked.c.phone)
        .limit(limit + 1)
    )
    after = read_cursor(cursor, str)
    if after:
        phones = phones.where(ranked.c.phone > after[0])
    found = list(await tx.scalars(phones))
    items = await _items(tx, ranked, found[:limit], on)
    more = encode_cursor(found[limit - 1]) if len(found) > limit else None
    return SparedOut(on=on, silent=silent, outranked=outranked, items=items, next_cursor=more)


async def _day_of(tx: ReadTx, launch_id: UUID | None) -> date:
    if launch_id is None:
        return tx.clock.now().date()
    frozen_at: datetime | None = await tx.scalar(
        select(_audience.c.frozen_at).where(_audience.c.launch_id == launch_id)
    )
    if frozen_at is None:
        raise AudienceUnknown(f"launch_id: nothing was frozen for {launch_id}")
    return frozen_at.date()


async def _items(tx: ReadTx, ranked: Subquery, phones: list[str], on: date) -> list[SparedPhoneOut]:
    rows = await tx.execute(
        select(ranked.c.phone, ranked.c.is_spared, PersonLink, Person, Organisation)
        .join(PersonLink, col(PersonLink.id) == ranked.c.link_id)
        .join(Person, col(Person.id) == col(PersonLink.person_id))
        .join(Organisation, col(Organisation.id) == col(PersonLink.organisation_id))
        .where(ranked.c.phone.in_(phones))
        .order_by(ranked.c.phone, col(PersonLink.relevance).desc(), col(PersonLink.id))
    )
    items = {phone: SparedPhoneOut(phone=phone, called=None, spared=[]) for phone in phones}
    for phone, is_spared, link, person, organisation in plain(rows):
        shown = _shown(link, person, organisation)
        if is_spared:
            shown.because = silent_because(link, person, organisation, on) or OUTRANKED
            items[phone].spared.append(shown)
        else:
            items[phone].called = shown
    return list(items.values())


def _shown(link: PersonLink, person: Person, organisation: Organisation) -> SparedLinkOut:
    return SparedLinkOut(
        link_id=link.id,
        person_id=person.id,
        person_name=person.full_name or person.preferred_name,
        organisation_id=organisation.id,
        organisation_name=organisation.name,
        role=link.role,
        relevance=link.relevance,
    )
