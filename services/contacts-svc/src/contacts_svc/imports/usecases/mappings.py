"""Mappings are saved by a name, so that the next file of the same sender is read the same way."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.fields import queries as fields
from contacts_svc.imports import columns, values
from contacts_svc.imports.errors import MappingInvalid, MappingTaken, MappingUnknown
from contacts_svc.imports.model import ImportMapping
from contacts_svc.imports.schemas import MappingIn
from contacts_svc.imports.usecases.starting import policy_problems
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx


async def _check(tx: Tx, body: MappingIn) -> None:
    declared = await fields.load(tx)
    wrong = [
        f"mapping: {field[:60]!r} is no field of a contact"
        for field in body.mapping.values()
        if field != columns.IGNORED and not columns.is_target(field, declared)
    ]
    wrong += columns.format_problems(body.mapping, body.formats, declared)
    wrong += policy_problems(body.policies, declared)
    if wrong:
        errors = [{"in": "body", "field": one.split(":")[0], "message": one} for one in wrong]
        raise MappingInvalid("; ".join(wrong[:10]), errors=errors)


def _given(body: MappingIn) -> dict[str, Any]:
    return {
        "name": body.name,
        "mapping": dict(body.mapping),
        "formats": {column: values.Form(form).value for column, form in body.formats.items()},
        "policies": {field: policy.value for field, policy in body.policies.items()},
    }


async def save_mapping(tx: Tx, body: MappingIn) -> ImportMapping:
    """Save a mapping.

    Raises:
        MappingInvalid: a field, format or policy is unknown.
        MappingTaken: another one has the name.
    """
    await _check(tx, body)
    now = tx.clock.now()
    row: dict[str, Any] = {
        "id": new_id(),
        "version": 1,
        **_given(body),
        "created_at": now,
        "updated_at": now,
    }
    made = await tx.scalar(
        insert(table_of(ImportMapping))
        .values(**row)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(table_of(ImportMapping).c.id)
    )
    if made is None:
        raise MappingTaken("Change that one with PUT, or choose another name")
    return ImportMapping(**row)


async def get_mapping_for_update(tx: Tx, mapping_id: UUID) -> ImportMapping:
    """Return a mapping, locked. Raises `MappingUnknown`."""
    found: ImportMapping | None = await tx.scalar(
        select(ImportMapping).where(col(ImportMapping.id) == mapping_id).with_for_update()
    )
    if found is None:
        raise MappingUnknown("GET /v1/imports/mappings lists those that are saved")
    return found


async def change_mapping(tx: Tx, found: ImportMapping, body: MappingIn) -> None:
    """Replace a locked mapping; imports that run keep the one they began with.

    Raises:
        MappingInvalid: a field, format or policy is unknown.
        MappingTaken: another one has the name.
    """
    await _check(tx, body)
    taken = await tx.scalar(
        select(col(ImportMapping.id)).where(
            col(ImportMapping.name) == body.name, col(ImportMapping.id) != found.id
        )
    )
    if taken is not None:
        raise MappingTaken("Choose another name")
    for name, value in _given(body).items():
        setattr(found, name, value)
    found.version += 1
    found.updated_at = tx.clock.now()


async def delete_mapping(tx: Tx, mapping_id: UUID) -> None:
    """Forget a mapping. Raises `MappingUnknown`."""
    await tx.delete(await get_mapping_for_update(tx, mapping_id))
