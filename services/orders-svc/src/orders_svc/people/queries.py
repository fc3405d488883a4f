"""Read the copy of persons."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Text, Uuid
from sqlmodel import col, select

from kantis_kit.db.sets import one_of
from kantis_kit.tx import ReadTx
from orders_svc.people.model import Person


async def find_persons(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Return the persons that are known here, by id; a person may follow later."""
    rows = await tx.scalars(
        select(Person).where(col(Person.person_id) == one_of(sorted(set(person_ids)), Uuid()))
    )
    return {person.person_id: person for person in rows}


async def find_callers(tx: ReadTx, phones: Iterable[str]) -> dict[str, list[UUID]]:
    """Return who has each of these telephone numbers, which must be in their one spelling."""
    rows = await tx.execute(
        select(col(Person.phone), col(Person.person_id))
        .where(col(Person.phone) == one_of(sorted(set(phones)), Text()), col(Person.phone) != "")
        .order_by(col(Person.person_id))
    )
    found: dict[str, list[UUID]] = {}
    for row in rows:
        found.setdefault(row.phone, []).append(row.person_id)
    return found


async def find_person(tx: ReadTx, person_id: UUID | None) -> Person | None:
    """Return a person, or None when no card has come yet."""
    return None if person_id is None else await tx.get(Person, person_id)
