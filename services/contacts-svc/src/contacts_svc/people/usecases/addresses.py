"""Postal addresses with the days on which they hold; the one in use stands on the person's card."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Date, cast, delete, func, or_, select, update
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.national import refuse_national_numbers
from contacts_svc.people import queries
from contacts_svc.people.errors import ContactInvalid, PostalAddressUnknown
from contacts_svc.people.model import Identifier, Origin, Person, PostalAddress
from contacts_svc.people.usecases.save import announce, history_row, set_fields, write_history
from kantis_kit.ids import new_id
from kantis_kit.postal import PostalInvalid, read_post
from kantis_kit.tx import Tx

BATCH = 500
TURN_TIMER = "people.address"
MAX_ADDRESSES = 50
_LONG_AGO, _FAR = date(1970, 1, 1), date(9000, 1, 1)
IN_USE_KIND = "home"
"""Only addresses of this kind take turns on the card; the others wait for those who ask for them."""


def read_fields(fields: Mapping[str, str], *, country: str) -> dict[str, str]:
    """Return the address among a person's fields in its one spelling, and how it was given where that differs.

    Raises:
        ContactInvalid: the code is none of the country.
    """
    parts = {name: fields.get(name, "") for name in ("street", "postal_code", "city")}
    where = fields.get("address_country") or country
    try:
        post = read_post(**parts, country=where)
    except PostalInvalid as error:
        raise _invalid(f"address.{error.field}", str(error)) from error
    street = f"c/o {post.care_of}, {post.street}" if post.care_of else post.street
    kept = {"street": street, "postal_code": post.postal_code, "city": post.city}
    return {
        **kept,
        "address_country": "" if post.is_empty() else where,
        "address_as_given": "" if kept == parts else "\n".join(parts.values()),
    }


def _invalid(field: str, message: str) -> ContactInvalid:
    return ContactInvalid(
        f"{field}: {message}", errors=[{"in": "body", "field": field, "message": message}]
    )


async def add_address(tx: Tx, person: Person, given: Mapping[str, Any], *, reason: str) -> UUID:
    """Give a locked person an address, which holds from a day on or now; return its id.

    Raises:
        ContactInvalid: the code is none of the country, the days cannot be, or there is nothing to send to.
    """
    refuse_national_numbers(
        {name: given[name] for name in ("care_of", "street", "city", "source")} | {"reason": reason}
    )
    if given["valid_from"] and given["valid_to"] and given["valid_from"] > given["valid_to"]:
        raise ContactInvalid("valid_to: is before valid_from")
    country = given["country"] or person.country
    parts = {name: given[name] for name in ("care_of", "street", "postal_code", "city")}
    try:
        post = read_post(**parts, country=country)
    except PostalInvalid as error:
        raise _invalid(error.field, str(error)) from error
    if post.is_empty():
        raise ContactInvalid("An address needs a street, a postal code or a place")
    there = await tx.scalar(select(func.count()).where(col(PostalAddress.person_id) == person.id))
    if there >= MAX_ADDRESSES:
        message = f"A contact has at most {MAX_ADDRESSES} addresses; remove those that have ended"
        raise ContactInvalid(message)
    row = PostalAddress(
        id=new_id(),
        person_id=person.id,
        kind=given["kind"],
        care_of=post.care_of,
        street=post.street,
        postal_code=post.postal_code,
        city=post.city,
        country=country,
        as_given=parts,
        warnings=list(post.warnings),
        valid_from=given["valid_from"],
        valid_to=given["valid_to"],
        source=given["source"],
        created_at=tx.clock.now(),
    )
    tx.add(row)
    await tx.flush()  # which address is in use is decided among the rows
    await _tell(tx, person, {f"address.{row.kind}": ["", _line(row)]}, reason)
    await turn_person(tx, person)
    ends = row.valid_to if row.valid_to and row.valid_to < _FAR else None
    days = (row.valid_from, ends + timedelta(days=1) if ends else None)
    await tx.schedule_many(
        TURN_TIMER,
        [
            (f"{row.id}:{day}", _midnight(day, person.time_zone), {"person_id": str(person.id)})
            for day in days
            if day is not None and _LONG_AGO < day < _FAR and row.kind == IN_USE_KIND
        ],
    )
    return row.id


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


async def turn_some(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Let the address of today stand on the cards of these persons."""
    for one in (await queries.lock_people(tx, sorted(set(person_ids)))).values():
        await turn_person(tx, one)


def _line(row: PostalAddress) -> str:
    days = (
        f" ({row.valid_from or ''}–{row.valid_to or ''})" if row.valid_from or row.valid_to else ""
    )
    return ", ".join(filter(None, (row.street, f"{row.postal_code} {row.city}".strip()))) + days


async def remove_address(tx: Tx, person: Person, row: PostalAddress) -> None:
    """Remove an address of a locked person."""
    was_in_use = row.is_in_use
    await tx.delete(row)
    await tx.flush()  # which address is in use is decided among the rows
    await _tell(tx, person, {f"address.{row.kind}": [_line(row), ""]}, "")
    await turn_person(tx, person, had_one=was_in_use)


async def turn(tx: Tx) -> None:
    """Put addresses to use whose first day has come where the person lives, and let go those whose last has passed."""
    table, person = table_of(PostalAddress), table_of(Person)
    today = cast(func.timezone(person.c.time_zone, tx.clock.now()), Date)
    other = table.alias("other")
    holds = (func.coalesce(table.c.valid_from, today) <= today) & (
        func.coalesce(table.c.valid_to, today) >= today
    )
    is_newer_than_any = ~(
        select(other.c.id)
        .where(
            other.c.person_id == table.c.person_id,
            other.c.is_in_use,
            func.coalesce(other.c.valid_from, date.min)
            >= func.coalesce(table.c.valid_from, date.min),
        )
        .exists()
    )
    due = await tx.scalars(
        select(table.c.person_id)
        .join(person, person.c.id == table.c.person_id)
        .where(
            table.c.kind == IN_USE_KIND,
            ~person.c.is_erased,
            or_(
                table.c.is_in_use & ~holds,
                ~table.c.is_in_use & holds & table.c.valid_from.is_not(None) & is_newer_than_any,
            ),
        )
        .distinct()
        .limit(BATCH)
    )
    await turn_some(tx, due)


async def turn_person(tx: Tx, person: Person, *, had_one: bool = False) -> None:
    """Let the address of today, if there is one with days or none was set by hand since, stand on the card."""
    today = await tx.scalar(select(cast(func.timezone(person.time_zone, tx.clock.now()), Date)))
    rows = list(
        await tx.scalars(
            select(PostalAddress).where(
                col(PostalAddress.person_id) == person.id, col(PostalAddress.kind) == IN_USE_KIND
            )
        )
    )
    holding = [one for one in rows if (one.valid_from or today) <= today <= (one.valid_to or today)]
    chosen = max(holding, key=lambda one: (one.valid_from or date.min, one.id), default=None)
    had_one = had_one or any(one.is_in_use for one in rows)
    if chosen is None and not had_one:
        return
    for one in rows:
        one.is_in_use = one is chosen
    await tx.flush()  # the card is told from the rows
    fields = dict.fromkeys(("street", "postal_code", "city", "address_country"), "")
    if chosen is not None:
        street = f"c/o {chosen.care_of}, {chosen.street}" if chosen.care_of else chosen.street
        fields = {
            "street": street,
            "postal_code": chosen.postal_code,
            "city": chosen.city,
            "address_country": chosen.country,
        }
    told = set_fields(person, {**fields, "address_as_given": ""})
    if told:
        person.version += 1
        person.updated_at = tx.clock.now()
        origin = Origin(tx.actor, reason="the address of the day")
        await write_history(tx, [history_row(person, origin, None, told)])
        await announce(tx, {person.id: person})


async def set_by_hand(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Say that the address on the card is none of the dated ones any longer."""
    await tx.execute(
        update(table_of(PostalAddress))
        .where(col(PostalAddress.person_id) == queries.any_of(person_ids))
        .values(is_in_use=False)
    )


async def get_address(tx: Tx, person_id: UUID, address_id: UUID) -> PostalAddress:
    """Return an address of a person, locked. Raises `PostalAddressUnknown`."""
    row: PostalAddress | None = await tx.scalar(
        select(PostalAddress)
        .where(col(PostalAddress.id) == address_id, col(PostalAddress.person_id) == person_id)
        .with_for_update()
    )
    if row is None:
        raise PostalAddressUnknown("GET the contact's addresses to see those that there are")
    return row


async def _tell(tx: Tx, person: Person, told: Mapping[str, Any], reason: str) -> None:
    row = history_row(person, Origin(tx.actor, reason=reason), None, told)
    # The card may not change by this: its version stays, only the moment is new.
    await write_history(tx, [(*row[:2], tx.clock.now(), *row[3:])])


async def forget_addresses(tx: Tx, person_ids: Sequence[UUID]) -> None:
    """Delete every identifier and postal address of these persons, and the evidence about them."""
    for model in (Identifier, PostalAddress):
        await tx.execute(
            delete(table_of(model)).where(col(model.person_id) == queries.any_of(person_ids))
        )
