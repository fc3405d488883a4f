"""Everything that contacts holds about a person, from every table that names them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, Text, exists, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from contacts_svc.base import Base, plain, table_of
from contacts_svc.dossier.errors import DossierUnknown
from contacts_svc.dossier.model import SERVICES, Dossier, DossierPartRow
from contacts_svc.dossier.schemas import DossierOut, ServiceAnswerOut, WholeDossierOut
from contacts_svc.imports.model import ImportReject
from contacts_svc.people.errors import ContactUnknown
from contacts_svc.people.history import in_full
from contacts_svc.people.model import Identifier, Person, PersonAlias
from contacts_svc.people.queries import any_of, resolve
from contacts_svc.quality.moving import tables
from contacts_svc.visits.model import PageView, VisitorPerson
from kantis_kit.db.sets import one_of
from kantis_kit.gathering import join
from kantis_kit.tx import ReadTx

MOST_ROWS = 10_000
"""Of one kind; what is left off is named."""
_NOT_ABOUT_THEM = frozenset(
    {
        *("touched_person", "segment_due", "duplicate_due", "duplicate_key", "doorstep"),
        *("erasure", "dossier"),
    }
)
"""Notes of the service to itself."""


async def find_ids(tx: ReadTx, person_id: UUID) -> tuple[UUID, list[UUID]]:
    """Return the known id of a person, and those that were merged into it. Raises `ContactUnknown`."""
    known = await resolve(tx, person_id)
    person = await tx.get(Person, known)
    if person is None or person.is_erased:
        raise ContactUnknown("It was never there, or it was erased")
    aliases = await tx.scalars(
        select(col(PersonAlias.merged_id))
        .where(col(PersonAlias.known_id) == known)
        .order_by(col(PersonAlias.merged_id))
    )
    return known, list(aliases)


async def get_dossier(tx: ReadTx, dossier_id: UUID) -> WholeDossierOut:
    """Return what is known over all services, as far as they have answered.

    Raises:
        DossierUnknown: never asked for, or its time is over.
        ContactUnknown: the person was erased.
    """
    row = await tx.get(Dossier, dossier_id)
    if row is None or row.expires_at <= tx.clock.now():
        raise DossierUnknown("POST /v1/privacy/dossiers asks for a new one")
    own = await gather(tx, row.person_id)
    parts = await tx.scalars(
        select(DossierPartRow)
        .where(col(DossierPartRow.dossier_id) == dossier_id)
        .order_by(col(DossierPartRow.service), col(DossierPartRow.part))
    )
    held: dict[str, list[DossierPartRow]] = {name: [] for name in SERVICES}
    for part in parts:
        held.setdefault(part.service, []).append(part)
    services = [_answer(name, some) for name, some in sorted(held.items())]
    return WholeDossierOut(
        dossier_id=row.id,
        person_id=row.person_id,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        is_complete=all(one.state == "answered" for one in services),
        contacts=own,
        services=services,
    )


def _answer(service: str, parts: Sequence[DossierPartRow]) -> ServiceAnswerOut:
    is_whole = bool(parts) and len(parts) == parts[0].parts
    # Half of what a service holds would be taken for all of it.
    records, left_off = join([one.content for one in parts]) if is_whole else ({}, [])
    return ServiceAnswerOut(
        service=service,
        state="answered" if is_whole else "asked",
        answered_at=max(one.answered_at for one in parts) if is_whole else None,
        records=records,
        left_off=left_off,
    )


async def find_latest(tx: ReadTx, person_id: UUID) -> UUID | None:
    """Return the dossier that a person has asked for last, while it is there."""
    found: UUID | None = await tx.scalar(
        select(col(Dossier.id))
        .where(col(Dossier.person_id) == person_id, col(Dossier.expires_at) > tx.clock.now())
        .order_by(col(Dossier.asked_at).desc())
        .limit(1)
    )
    return found


async def gather(tx: ReadTx, person_id: UUID) -> DossierOut:
    """Return all rows about a person, also those under ids that were merged into theirs. Raises `ContactUnknown`."""
    known, aliases = await find_ids(tx, person_id)
    person = table_of(Person)
    profile = await _rows(tx, person, person.c.id == known)
    found: dict[str, list[dict[str, Any]]] = {}
    for table in tables():
        if table.name not in _NOT_ABOUT_THEM:
            found[table.name] = await _rows(
                tx, table, table.c.person_id == any_of([known, *aliases])
            )
    for row in found["person_change"]:
        row["changes"] = in_full(row["changes"])
    views = table_of(PageView)
    theirs = select(col(VisitorPerson.visitor_id)).where(col(VisitorPerson.person_id) == known)
    found[views.name] = await _rows(tx, views, views.c.visitor_id.in_(theirs))
    rejects = table_of(ImportReject)
    found[rejects.name] = await _rows(tx, rejects, await _in_a_cell(tx, [known, *aliases]))
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


async def _in_a_cell(tx: ReadTx, ids: Sequence[UUID]) -> ColumnElement[bool]:
    """Say of a row that could not be taken from a file whether a cell of it is an address or phone of theirs.

    The whole cell: a part of it may be the address of somebody else.
    """
    rows = await tx.execute(
        select(col(Identifier.value), col(Identifier.as_given)).where(
            col(Identifier.person_id) == any_of(ids)
        )
    )
    theirs = sorted({word.lower() for row in plain(rows) for word in row if word})
    cell = func.jsonb_array_elements_text(table_of(ImportReject).c.cells).column_valued("cell")
    return exists(
        select(cell).where(func.lower(func.btrim(cell, type_=Text())) == one_of(theirs, Text()))
    )


async def _rows(tx: ReadTx, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    whole = func.to_jsonb(table.table_valued(), type_=JSONB())
    rows = await tx.scalars(
        select(whole).where(where).order_by(*table.primary_key.columns).limit(MOST_ROWS + 1)
    )
    return list(rows)
