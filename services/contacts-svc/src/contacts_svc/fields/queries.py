"""Reads of declared fields."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.fields.errors import FieldUnknown
from contacts_svc.fields.model import CustomField, FieldSecret
from contacts_svc.fields.rules import json_schema
from kantis_kit.tx import ReadTx, Tx


async def load(tx: ReadTx) -> dict[str, CustomField]:
    """Return every declared field by its key, closed ones included."""
    rows = await tx.scalars(select(CustomField).order_by(col(CustomField.key)))
    return {one.key: one for one in rows}


async def get_field(tx: ReadTx, key: str) -> CustomField:
    """Return a field. Raises `FieldUnknown`."""
    field = await tx.get(CustomField, key)
    if field is None:
        raise FieldUnknown("GET /v1/fields lists those that are declared")
    return field


async def get_for_update(tx: Tx, key: str) -> CustomField:
    """Return a field, locked. Raises `FieldUnknown`."""
    field: CustomField | None = await tx.scalar(
        select(CustomField).where(col(CustomField.key) == key).with_for_update()
    )
    if field is None:
        raise FieldUnknown("GET /v1/fields lists those that are declared")
    return field


async def find_secret_keys(tx: ReadTx, person_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """Return of which fields for identity numbers these persons have a value."""
    ids = bindparam(None, list(person_ids), type_=ARRAY(Uuid()), unique=True)
    rows = await tx.execute(
        select(col(FieldSecret.person_id), col(FieldSecret.key))
        .where(col(FieldSecret.person_id) == func.any(ids))
        .order_by(col(FieldSecret.key))
    )
    found: dict[UUID, list[str]] = defaultdict(list)
    for person_id, key in plain(rows):
        found[person_id].append(key)
    return found


async def get_secret(tx: ReadTx, person_id: UUID, key: str) -> FieldSecret:
    """Return an identity number. Raises `FieldUnknown` when the person has none in this field."""
    secret = await tx.get(FieldSecret, (key, person_id))
    if secret is None:
        raise FieldUnknown("This contact has no value in a field of that key for identity numbers")
    return secret


async def holds_secrets(tx: ReadTx, key: str) -> bool:
    """Say whether anybody has a value in a field for identity numbers."""
    return bool(await tx.scalar(select(exists().where(col(FieldSecret.key) == key))))


def schema_of(fields: Mapping[str, CustomField]) -> dict[str, Any]:
    """Describe the `custom` object of a contact as JSON Schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "custom",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            key: {
                "title": one.titles.get("en") or next(iter(one.titles.values()), key),
                "description": one.description,
                **json_schema(one),
            }
            for key, one in fields.items()
            if not one.is_closed
        },
    }
