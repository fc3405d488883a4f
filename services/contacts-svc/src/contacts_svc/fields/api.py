"""Declared fields at the API."""

from typing import Any
from uuid import UUID

from fastapi import Request, Response

from contacts_svc.fields import queries, usecases
from contacts_svc.fields.schemas import FieldBody, FieldIn, FieldOut, SecretOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.router import Router

router = Router(prefix="/v1/fields", tags=["fields"])
of_contact = Router(prefix="/v1/contacts/{contact_id}/fields", tags=["fields"])


@router.post("", policy=needs("contacts:write"), status_code=201)
async def declare_field(body: FieldIn, tx: Write, response: Response) -> FieldOut:
    """Declare a field that contacts may have; its values stand in the contact's `custom`."""
    field = await usecases.declare_field(tx, body)
    response.headers["Location"] = f"/v1/fields/{field.key}"
    response.headers["ETag"] = etag(field.version)
    return FieldOut.model_validate(field)


@router.get("", policy=needs("contacts:read"))
async def list_fields(tx: Read) -> list[FieldOut]:
    """List the declared fields, by their keys."""
    return [FieldOut.model_validate(one) for one in (await queries.load(tx)).values()]


@router.get("/schema", policy=needs("contacts:read"))
async def get_schema(tx: Read) -> dict[str, Any]:
    """Describe a contact's `custom` as JSON Schema, as it is declared now."""
    return queries.schema_of(await queries.load(tx))


@router.get("/{key}", policy=needs("contacts:read"))
async def get_field(key: str, tx: Read, response: Response) -> FieldOut:
    """Return a declared field."""
    field = await queries.get_field(tx, key)
    response.headers["ETag"] = etag(field.version)
    return FieldOut.model_validate(field)


@router.put("/{key}", policy=needs("contacts:write"))
async def change_field(
    key: str, body: FieldBody, request: Request, tx: Write, response: Response
) -> FieldOut:
    """Change a field that has not changed since it was read (If-Match); rules may only be loosened."""
    field = await queries.get_for_update(tx, key)
    require_match(request, field.version)
    await usecases.change_field(tx, field, body)
    response.headers["ETag"] = etag(field.version)
    return FieldOut.model_validate(field)


@router.delete("/{key}", policy=needs("contacts:write"), status_code=204)
async def delete_field(key: str, tx: Write) -> None:
    """Delete a field that nobody has a value of."""
    await usecases.delete_field(tx, await queries.get_for_update(tx, key))


@of_contact.get("/{key}", policy=needs("contacts:read", privileged=True))
async def show_secret(contact_id: UUID, key: str, tx: Write) -> SecretOut:
    """Show an identity number in full; each look is written to the audit log."""
    return SecretOut.model_validate(await usecases.show_secret(tx, contact_id, key))
