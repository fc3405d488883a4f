"""Read the copy of persons."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.people.model import Person


async def find_persons(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Return the persons that are known here, by id; a person may follow later."""
    rows = await tx.scalars(select(Person).where(col(Person.person_id).in_(set(person_ids))))
    return {person.person_id: person for person in rows}


async def find_person(tx: ReadTx, person_id: UUID | None) -> Person | None:
    """Return a person, or None when no card has come yet."""
    return None if person_id is None else await tx.get(Person, person_id)
