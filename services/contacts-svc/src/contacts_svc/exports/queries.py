"""Reads of exports: what is in a file, and how far it is."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.exports.errors import ExportInvalid, ExportUnknown
from contacts_svc.exports.model import EVERYBODY, Export, ExportState
from contacts_svc.exports.schemas import ExportOut
from contacts_svc.fields import queries as fields
from contacts_svc.fields.rules import FieldKind
from contacts_svc.people import queries as people
from contacts_svc.people.model import FIELDS, Person
from contacts_svc.permissions.model import PermissionNow
from contacts_svc.segments import compile as sql
from contacts_svc.segments import queries as segments
from kantis_contracts.values import Channel, Purpose
from kantis_kit.tx import ReadTx

CUSTOM, PERMISSION = "custom.", "permission."
COMMON = (
    "id",
    "full_name",
    "given_name",
    "family_name",
    "preferred_name",
    "salutation",
    "email",
    "phone",
    "street",
    "postal_code",
    "city",
    "country",
    "language",
    "lifecycle",
    "source",
)
_PERMISSIONS = frozenset(
    f"{PERMISSION}{channel.value}.{purpose.value}" for channel in Channel for purpose in Purpose
)
_PLAIN = frozenset({"id", "email", "phone", "created_at", "updated_at", *FIELDS})
_COUNTED = (FieldKind.NUMBER, FieldKind.DECIMAL)
Values = Mapping[str, Any]
_SHAPES: Mapping[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    list: lambda value: ", ".join(str(one) for one in value),
}


async def get_export(tx: ReadTx, export_id: UUID) -> ExportOut:
    """Return an export. Raises `ExportUnknown`."""
    found = await tx.get(Export, export_id)
    if found is None:
        raise ExportUnknown
    return ExportOut.model_validate(found)


async def list_exports(tx: ReadTx, *, limit: int) -> list[ExportOut]:
    """Return the newest exports first."""
    rows = await tx.scalars(select(Export).order_by(col(Export.id).desc()).limit(limit))
    return [ExportOut.model_validate(row) for row in rows]


async def find_done(tx: ReadTx, export_id: UUID) -> Export | None:
    """Return an export whose file can be fetched, or None."""
    found = await tx.get(Export, export_id)
    is_there = (
        found is not None and found.state == ExportState.DONE and found.expires_at > tx.clock.now()
    )
    return found if is_there else None


async def check_fields(tx: ReadTx, wanted: Sequence[str]) -> None:
    """Refuse fields that are unknown, named twice, or not for files. Raises `ExportInvalid`."""
    declared = await fields.load(tx)
    wrong = []
    for name in wanted:
        own = declared.get(name.removeprefix(CUSTOM)) if name.startswith(CUSTOM) else None
        if own is not None and own.kind == FieldKind.NATIONAL_ID:
            wrong.append(f"fields: {name} holds identity numbers, which are in no file")
        elif own is None and name not in _PLAIN | _PERMISSIONS:
            known = ", ".join([*sorted(_PLAIN), "custom.<key>", "permission.<channel>.<purpose>"])
            wrong.append(f"fields: {name[:60]!r} is none; use {known}")
    if len(set(wanted)) < len(wanted):
        wrong.append("fields: name each once")
    if wrong:
        errors = [{"in": "body", "field": "fields", "message": one} for one in wrong]
        raise ExportInvalid(wrong[0], errors=errors)


async def numeric_columns(tx: ReadTx, names: Sequence[str]) -> list[int]:
    """Return at which places fields stand that a spreadsheet may count with."""
    declared = await fields.load(tx)
    counted = {f"{CUSTOM}{key}" for key, one in declared.items() if one.kind in _COUNTED}
    return [place for place, name in enumerate(names) if name in counted]


async def find_waiting(tx: ReadTx) -> UUID | None:
    """Return the export that has waited longest for its workbook, or None."""
    found: UUID | None = await tx.scalar(
        select(col(Export.id))
        .where(col(Export.state) == ExportState.RUNNING, col(Export.last_id) == EVERYBODY)
        .order_by(col(Export.id))
        .limit(1)
    )
    return found


async def read_rows(
    tx: ReadTx, export: Export, *, limit: int
) -> tuple[list[list[str]], UUID | None]:
    """Return the next rows of an export and the id of the last of them, None at the end.

    A condition is asked as of the moment at which the export was ordered.

    Raises:
        SegmentUnknown: the segment was closed meanwhile.
    """
    wanted = select(sql.person.c.id).where(~sql.person.c.is_erased)
    if export.segment_id is not None:
        segment = await segments.get_segment(tx, export.segment_id)
        wanted = sql.members(await segments.condition_of(tx, segment), now=export.created_at)
    if export.last_id is not None:
        wanted = wanted.where(sql.person.c.id > export.last_id)
    ids = list(await tx.scalars(wanted.order_by(sql.person.c.id).limit(limit)))
    if not ids:
        return [], None
    found = await tx.scalars(
        select(Person).where(col(Person.id) == people.any_of(ids)).order_by(col(Person.id))
    )
    addresses = await people.list_identifiers(tx, ids)
    states = await _permissions(tx, ids) if _PERMISSIONS & set(export.fields) else {}
    rows = []
    for person in found:
        first = {one.kind: one.value for one in addresses.get(person.id, []) if one.is_primary}
        values = {**first, **states.get(person.id, {})}
        rows.append([_text(person, name, values) for name in export.fields])
    return rows, ids[-1]


async def _permissions(tx: ReadTx, ids: Sequence[UUID]) -> dict[UUID, dict[str, str]]:
    rows = await tx.scalars(
        select(PermissionNow).where(col(PermissionNow.person_id) == people.any_of(ids))
    )
    found: dict[UUID, dict[str, str]] = defaultdict(dict)
    for one in rows:
        found[one.person_id][f"{PERMISSION}{one.channel}.{one.purpose}"] = one.state
    return found


def _text(person: Person, name: str, values: Values) -> str:
    if name.startswith(CUSTOM):
        value = person.custom.get(name.removeprefix(CUSTOM))
    elif name in ("email", "phone") or name.startswith(PERMISSION):
        value = values.get(name)
    else:
        value = getattr(person, name)
    if value is None:
        return ""
    return _SHAPES.get(type(value), str)(value)
