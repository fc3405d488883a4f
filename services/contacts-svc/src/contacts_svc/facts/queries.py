"""Reads that the slices above share: who an id means now, and how a person stands with the company."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import FromClause, func, select
from sqlmodel import SQLModel, col

from contacts_svc.base import plain, table_of
from contacts_svc.facts.model import OrderFact
from contacts_svc.people.errors import ContactUnknown
from contacts_svc.people.model import Person, PersonAlias
from contacts_svc.people.queries import any_of
from kantis_kit.db.sets import table_set
from kantis_kit.tx import ReadTx


def as_rows(name: str, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> FromClause:
    """Return rows for a table as something to select from; the first row names the columns."""
    return table_set(name, table_of(model), rows)


async def known_ids(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return for each id the one that is known now: of those who were merged, the id of whom they became."""
    chosen = set(person_ids)
    if not chosen:
        return {}
    rows = await tx.execute(
        select(col(PersonAlias.merged_id), col(PersonAlias.known_id)).where(
            col(PersonAlias.merged_id) == any_of(sorted(chosen))
        )
    )
    return {one: one for one in chosen} | dict(plain(rows))


async def living(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the known id of each of these who is there and was not erased; the others are left out."""
    known = await known_ids(tx, person_ids)
    found = await tx.scalars(
        select(col(Person.id)).where(
            col(Person.id) == any_of(sorted(set(known.values()))), ~col(Person.is_erased)
        )
    )
    there = set(found)
    return {given: now for given, now in known.items() if now in there}


async def get_known(tx: ReadTx, person_id: UUID) -> UUID:
    """Return the known id of a person. Raises `ContactUnknown`."""
    found = (await living(tx, [person_id])).get(person_id)
    if found is None:
        raise ContactUnknown("It was never there, or it was erased")
    return found


async def relation_of(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """Return the customers among these, with the moment of their last order; cancelled orders make nobody a customer."""
    rows = await tx.execute(
        select(col(OrderFact.person_id), func.max(col(OrderFact.placed_at)))
        .where(
            col(OrderFact.person_id) == any_of(sorted(set(person_ids))),
            col(OrderFact.cancelled_at).is_(None),
        )
        .group_by(col(OrderFact.person_id))
    )
    return dict(plain(rows))
