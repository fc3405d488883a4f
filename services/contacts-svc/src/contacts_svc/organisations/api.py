"""Organisations and links at the API."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from contacts_svc.organisations import queries, spared, usecases
from contacts_svc.organisations.schemas import (
    LinkIn,
    LinkOut,
    LinkPatch,
    OrganisationChangeOut,
    OrganisationIn,
    OrganisationOut,
    OrganisationPatch,
    SparedOut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Limit, Page
from kantis_kit.web.router import Router

router = Router(prefix="/v1/organisations", tags=["organisations"])
of_contact = Router(prefix="/v1/contacts/{contact_id}/links", tags=["organisations"])
_DAYS = ("not_before", "valid_from", "valid_to")
_EMPTY_IS_NONE = (*_DAYS, "parent_id")
Cursor = Annotated[str | None, Query(max_length=500)]


def _said(body: OrganisationIn | OrganisationPatch | LinkIn | LinkPatch) -> dict[str, Any]:
    """Return what the body says; an empty text where a day or an id could stand lifts it."""
    given = {
        name: getattr(body, name)
        for name in type(body).model_fields
        if name not in ("reason", "address") and getattr(body, name) is not None
    }
    for name in _EMPTY_IS_NONE:
        if given.get(name) == "":
            given[name] = None
    if "kind" in given:
        given["kind"] = str(given["kind"])
    address = getattr(body, "address", None)
    if address is not None:
        given |= {
            "street": address.street,
            "postal_code": address.postal_code,
            "city": address.city,
            "address_country": address.country or "",
        }
    return given


@router.post("", policy=needs("contacts:write"), status_code=201)
async def add_organisation(body: OrganisationIn, tx: Write, response: Response) -> OrganisationOut:
    """Add an organisation; its number is checked against the rules of its country."""
    row = await usecases.add_organisation(tx, _said(body))
    response.headers["Location"] = f"/v1/organisations/{row.id}"
    response.headers["ETag"] = etag(row.version)
    return queries.organisation_out(row)


@router.get("", policy=needs("contacts:read"))
async def list_organisations(
    tx: Read,
    *,
    q: Annotated[str | None, Query(max_length=100, description="Part of the name")] = None,
    number: Annotated[str | None, Query(max_length=40)] = None,
    country: Annotated[str | None, Query(pattern=r"^[A-Z]{2}$")] = None,
    parent_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[OrganisationOut]:
    """List organisations in the order of their making."""
    items, more = await queries.list_organisations(
        tx, q=q, number=number, country=country, parent_id=parent_id, cursor=cursor, limit=limit
    )
    return Page(items=items, next_cursor=more)


@router.get("/spared", policy=needs("contacts:read"))
async def list_spared(
    tx: Read,
    *,
    on: Annotated[
        date | None, Query(description="Today, or the day of the launch, when left out")
    ] = None,
    launch_id: Annotated[
        UUID | None, Query(description="Only of those in the audience of a campaign's launch")
    ] = None,
    role: Annotated[str | None, Query(max_length=60, description="Only of this role")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> SparedOut:
    """Tell by phone in which role it is called and which calls are spared: one phone may stand for three companies."""
    return await spared.list_spared(
        tx, on=on, role=role, launch_id=launch_id, cursor=cursor, limit=limit
    )


@router.get("/{organisation_id}", policy=needs("contacts:read"))
async def get_organisation(organisation_id: UUID, tx: Read, response: Response) -> OrganisationOut:
    """Return an organisation."""
    row = await queries.get_organisation(tx, organisation_id)
    response.headers["ETag"] = etag(row.version)
    return queries.organisation_out(row)


@router.patch("/{organisation_id}", policy=needs("contacts:write"))
async def change_organisation(
    organisation_id: UUID,
    body: OrganisationPatch,
    request: Request,
    tx: Write,
    response: Response,
) -> OrganisationOut:
    """Change an organisation that has not changed since it was read (If-Match)."""
    row = await queries.get_for_update(tx, organisation_id)
    require_match(request, row.version)
    await usecases.change_organisation(tx, row, _said(body), reason=body.reason)
    response.headers["ETag"] = etag(row.version)
    return queries.organisation_out(row)


@router.delete("/{organisation_id}", policy=needs("contacts:write"), status_code=204)
async def delete_organisation(organisation_id: UUID, tx: Write) -> None:
    """Delete an organisation to which nobody belongs."""
    await usecases.delete_organisation(tx, await queries.get_for_update(tx, organisation_id))


@router.get("/{organisation_id}/people", policy=needs("contacts:read"))
async def list_people(
    organisation_id: UUID,
    tx: Read,
    *,
    role: Annotated[str | None, Query(max_length=60)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[LinkOut]:
    """List who is what there, the most relevant first, with the reason of those who must not be approached."""
    items, more = await queries.list_people(
        tx, organisation_id, role=role, cursor=cursor, limit=limit
    )
    return Page(items=items, next_cursor=more)


@router.get("/{organisation_id}/changes", policy=needs("contacts:read"))
async def list_changes(
    organisation_id: UUID,
    tx: Read,
    *,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[OrganisationChangeOut]:
    """Tell who changed what of an organisation, when and why, the newest first."""
    return await queries.list_changes(tx, organisation_id, limit=limit, before=before)


@of_contact.get("", policy=needs("contacts:read"))
async def list_links(contact_id: UUID, tx: Read) -> list[LinkOut]:
    """List what a contact is and where, the main one first."""
    return await queries.list_links(tx, contact_id)


@of_contact.post("", policy=needs("contacts:write"), status_code=201)
async def add_link(contact_id: UUID, body: LinkIn, tx: Write, response: Response) -> LinkOut:
    """Say what a contact is in an organisation; a contact may be in many."""
    person = await usecases.get_person(tx, contact_id)
    link_id = await usecases.add_link(tx, person, _said(body), reason=body.reason)
    response.headers["Location"] = f"/v1/contacts/{contact_id}/links/{link_id}"
    return await queries.get_link(tx, link_id)


@of_contact.patch("/{link_id}", policy=needs("contacts:write"))
async def change_link(contact_id: UUID, link_id: UUID, body: LinkPatch, tx: Write) -> LinkOut:
    """Change what a contact is in an organisation, and from when they may be approached in that role."""
    person = await usecases.get_person(tx, contact_id)
    link = await queries.get_link_for_update(tx, contact_id, link_id)
    await usecases.change_link(tx, person, link, _said(body), reason=body.reason)
    await tx.flush()  # the answer is read from the row
    return await queries.get_link(tx, link_id)


@of_contact.delete("/{link_id}", policy=needs("contacts:write"), status_code=204)
async def remove_link(contact_id: UUID, link_id: UUID, tx: Write) -> None:
    """Say that a contact is no longer that there."""
    person = await usecases.get_person(tx, contact_id)
    await usecases.remove_link(
        tx, person, await queries.get_link_for_update(tx, contact_id, link_id)
    )
