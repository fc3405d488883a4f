"""Everything that contacts holds about a person, from every table that names them."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from contacts_svc.base import Base, table_of
from contacts_svc.dossier.schemas import DossierOut
from contacts_svc.people.errors import ContactUnknown
from contacts_svc.people.model import Person, PersonAlias
from contacts_svc.people.queries import any_of, resolve
from contacts_svc.quality.moving import tables
from contacts_svc.visits.model import PageView, VisitorPerson
from kantis_kit.tx import ReadTx

MOST_ROWS = 10_000
"""Of one kind; what is left off is named."""
_NOT_ABOUT_THEM = frozenset({"touched_person", "duplicate_due", "duplicate_key", "segment_due"})
"""Notes of the service to itself."""


async def gather(tx: ReadTx, person_id: UUID) -> DossierOut:
    """Return all rows about a person, also those under ids that were merged into theirs. Raises `ContactUnknown`."""
    known = await resolve(tx, person_id)
    person = table_of(Person)
    profile = await _rows(tx, person, (person.c.id == known) & ~person.c.is_erased)
    if not profile:
        raise ContactUnknown("It was never there, or it was erased")
    aliases = list(
        await tx.scalars(
            select(col(PersonAlias.merged_id))
            .where(col(PersonAlias.known_id) == known)
            .order_by(col(PersonAlias.merged_id))
        )
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for table in tables():
        if table.name not in _NOT_ABOUT_THEM:
            found[table.name] = await _rows(
                tx, table, table.c.person_id == any_of([known, *aliases])
            )
    views = table_of(PageView)
    theirs = select(col(VisitorPerson.visitor_id)).where(col(VisitorPerson.person_id) == known)
    found[views.name] = await _rows(tx, views, views.c.visitor_id.in_(theirs))
    merges = Base.metadata.tables["merge"]
    found[merges.name] = await _rows(tx, merges, merges.c.known_id == any_of([known, *aliases]))
    return DossierOut(
        person_id=known,
        made_at=tx.clock.now(),
        merged_ids=aliases,
        profile=profile[0],
        records={name: rows[:MOST_ROWS] for name, rows in sorted(found.items()) if rows},
        left_off=sorted(name for name, rows in found.items() if len(rows) > MOST_ROWS),
    )


async def _rows(tx: ReadTx, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    whole = func.to_jsonb(table.table_valued(), type_=JSONB())
    rows = await tx.scalars(
        select(whole).where(where).order_by(*table.primary_key.columns).limit(MOST_ROWS + 1)
    )
    return list(rows)
