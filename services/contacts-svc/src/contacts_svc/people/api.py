"""People at the API."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from contacts_svc.people import queries, usecases
from contacts_svc.people.schemas import (
    AddressIn,
    ChangeOut,
    ContactIn,
    ContactOut,
    ContactPatch,
    Missing,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router

router = Router(prefix="/v1/contacts", tags=["contacts"])
_PLAIN = (
    "preferred_name",
    "salutation",
    "given_name",
    "family_name",
    "full_name",
    "time_zone",
    "source",
    "note",
)
_ENUMS = ("language", "country", "lifecycle")
_MARKS = ("recipient_kind", "do_not_contact", "not_before")


def _fields(body: ContactIn | ContactPatch) -> dict[str, str]:
    given = {name: getattr(body, name) for name in (*_PLAIN, *_ENUMS)}
    fields = {name: str(value) for name, value in given.items() if value is not None}
    if body.address is not None:
        fields.update(_address(body.address))
    return fields


def _marks(body: ContactIn | ContactPatch) -> dict[str, Any]:
    given = {name: getattr(body, name) for name in _MARKS}
    if given["recipient_kind"] is not None:
        given["recipient_kind"] = str(given["recipient_kind"])
    # An empty text lifts the day; what was left out says nothing.
    return {
        name: value if value != "" else None for name, value in given.items() if value is not None
    }


def _address(body: AddressIn) -> dict[str, str]:
    return {
        "street": body.street,
        "postal_code": body.postal_code,
        "city": body.city,
        "address_country": body.country or "",
    }


@router.post("", policy=needs("contacts:write"), status_code=201)
async def create_contact(body: ContactIn, tx: Write, response: Response) -> ContactOut:
    """Add a contact: a name, and an e-mail address or a mobile number."""
    draft = usecases.make_draft(
        _fields(body),
        email=body.email,
        phone=body.phone,
        shares_phone=body.phone_is_shared,
        after_erasure=body.after_erasure,
    )
    draft.marks = _marks(body)
    draft.custom = await usecases.check_custom(tx, body.custom)
    contact_id = await usecases.create_contact(tx, draft)
    contact = await queries.get_contact(tx, contact_id)
    response.headers["Location"] = f"/v1/contacts/{contact_id}"
    response.headers["ETag"] = etag(contact.version)
    return contact


@router.get("", policy=needs("contacts:read"))
async def list_contacts(
    tx: Read,
    *,
    email: Annotated[str | None, Query(max_length=320)] = None,
    phone: Annotated[str | None, Query(max_length=40)] = None,
    q: Annotated[str | None, Query(max_length=100, description="Part of a name or address")] = None,
    missing: Annotated[Missing | None, Query(description="Only contacts that lack this")] = None,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[ContactOut]:
    """List contacts in the order of their making."""
    items, more = await queries.list_contacts(
        tx,
        email=email,
        phone=phone,
        q=q,
        missing=missing.value if missing else None,
        cursor=cursor,
        limit=limit,
    )
    return Page(items=items, next_cursor=more)


@router.get("/{contact_id}", policy=needs("contacts:read"))
async def get_contact(contact_id: UUID, tx: Read, response: Response) -> ContactOut:
    """Return a contact."""
    contact = await queries.get_contact(tx, contact_id)
    response.headers["ETag"] = etag(contact.version)
    return contact


@router.patch("/{contact_id}", policy=needs("contacts:write"))
async def change_contact(
    contact_id: UUID, body: ContactPatch, request: Request, tx: Write, response: Response
) -> ContactOut:
    """Change a contact that has not changed since it was read (If-Match)."""
    person = await queries.get_for_update(tx, contact_id)
    require_match(request, person.version)
    await usecases.change_contact(
        tx,
        person,
        {**_fields(body), **_marks(body)},
        email=body.email,
        phone=body.phone,
        custom=body.custom,
        reason=body.reason,
    )
    contact = await queries.get_contact(tx, contact_id)
    response.headers["ETag"] = etag(contact.version)
    return contact


@router.get("/{contact_id}/changes", policy=needs("contacts:read"))
async def list_changes(
    contact_id: UUID,
    tx: Read,
    *,
    before: Annotated[
        int | None, Query(ge=1, le=2**62, description="The id of the last change seen")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[ChangeOut]:
    """Tell who changed what of a contact, when, why and from which row of which file; the newest first."""
    return await queries.list_changes(tx, contact_id, limit=limit, before=before)
