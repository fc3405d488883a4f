"""People at the API."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from contacts_svc.people import queries, usecases
from contacts_svc.people.errors import IdentifierUnknown
from contacts_svc.people.schemas import (
    AddressIn,
    ChangeOut,
    ContactIn,
    ContactOut,
    ContactPatch,
    EvidenceIn,
    IdentifierIn,
    IdentifierOut,
    IdentifierPatch,
    Missing,
    PostalAddressIn,
    PostalAddressOut,
    ReachOut,
    UndoIn,
)
from contacts_svc.people.usecases import Evidence, Target
from kantis_kit.auth.policy import needs
from kantis_kit.tx import ReadTx
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router

router = Router(prefix="/v1/contacts", tags=["contacts"])
identifiers = Router(prefix="/v1/contacts/{contact_id}/identifiers", tags=["contacts"])
addresses = Router(prefix="/v1/contacts/{contact_id}/addresses", tags=["contacts"])
_TEXTS = ("label", "source")
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


def _fields(body: ContactIn | ContactPatch, country: str = "NO") -> dict[str, str]:
    given = {name: getattr(body, name) for name in (*_PLAIN, *_ENUMS)}
    fields = {name: str(value) for name, value in given.items() if value is not None}
    if body.address is not None:
        fields.update(
            usecases.read_fields(_address(body.address), country=fields.get("country") or country)
        )
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
        missing=missing,
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
        {**_fields(body, person.country), **_marks(body)},
        email=body.email,
        phone=body.phone,
        custom=body.custom,
        reason=body.reason,
    )
    if body.address is not None:
        await usecases.set_by_hand(tx, [contact_id])
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


@identifiers.get("", policy=needs("contacts:read"))
async def list_identifiers(contact_id: UUID, tx: Read) -> list[IdentifierOut]:
    """List the e-mail addresses and phone numbers of a contact."""
    return (await queries.get_contact(tx, contact_id)).identifiers


@identifiers.post("", policy=needs("contacts:write"), status_code=201)
async def add_identifier(
    contact_id: UUID, body: IdentifierIn, tx: Write, response: Response
) -> IdentifierOut:
    """Give a contact another e-mail address or phone number; a phone may be shared."""
    person = await queries.get_for_update(tx, contact_id)
    given = body.model_dump(exclude={"kind", "value", "reason"})
    identifier_id = await usecases.add_identifier(
        tx,
        person,
        kind=body.kind.value,
        value=body.value,
        given={**given, "label": body.label.value},
        reason=body.reason,
    )
    response.headers["Location"] = f"/v1/contacts/{contact_id}/identifiers/{identifier_id}"
    return IdentifierOut.model_validate(
        await usecases.get_identifier(tx, contact_id, identifier_id)
    )


@identifiers.patch("/{identifier_id}", policy=needs("contacts:write"))
async def change_identifier(
    contact_id: UUID, identifier_id: UUID, body: IdentifierPatch, tx: Write
) -> IdentifierOut:
    """Change label, source or days of an identifier, or make it the first of its kind."""
    person = await queries.get_for_update(tx, contact_id)
    row = await usecases.get_identifier(tx, contact_id, identifier_id)
    said = body.model_dump(exclude={"reason"}, exclude_none=True, mode="python")
    given = {name: value if value != "" or name in _TEXTS else None for name, value in said.items()}
    if body.label is not None:
        given["label"] = body.label.value
    await usecases.change_identifier(tx, person, row, given, reason=body.reason)
    return IdentifierOut.model_validate(row)


@identifiers.delete("/{identifier_id}", policy=needs("contacts:write"), status_code=204)
async def remove_identifier(
    contact_id: UUID,
    identifier_id: UUID,
    tx: Write,
    reason: Annotated[str, Query(max_length=500)] = "",
) -> None:
    """Remove an identifier; the last one of a contact stays."""
    person = await queries.get_for_update(tx, contact_id)
    row = await usecases.get_identifier(tx, contact_id, identifier_id)
    await usecases.remove_identifier(tx, person, row, reason=reason)


@identifiers.get("/{identifier_id}/reachability", policy=needs("contacts:read"))
async def show_reachability(contact_id: UUID, identifier_id: UUID, tx: Read) -> ReachOut:
    """Tell whether messages arrive at an identifier, and from what that follows."""
    return await _reach(tx, contact_id, identifier_id)


@identifiers.post("/{identifier_id}/reachability", policy=needs("contacts:write"))
async def record_evidence(
    contact_id: UUID, identifier_id: UUID, body: EvidenceIn, tx: Write
) -> ReachOut:
    """Tell what happened to a message or a call; the state follows from all that has happened."""
    await queries.get_for_update(tx, contact_id)
    await usecases.get_identifier(tx, contact_id, identifier_id)
    await usecases.record_evidence(tx, [_evidence(Target(contact_id, identifier_id), body)])
    return await _reach(tx, contact_id, identifier_id)


@identifiers.post("/{identifier_id}/reachability/undo", policy=needs("contacts:write"))
async def undo_evidence(contact_id: UUID, identifier_id: UUID, body: UndoIn, tx: Write) -> ReachOut:
    """Take back what made an identifier undeliverable, because somebody knows better."""
    await usecases.get_identifier(tx, contact_id, identifier_id)
    await usecases.undo_evidence(tx, Target(contact_id, identifier_id), reason=body.reason)
    return await _reach(tx, contact_id, identifier_id)


def _evidence(target: Target, body: EvidenceIn) -> Evidence:
    return Evidence(
        target, body.outcome, body.occurred_at, body.source, body.detail, body.external_id
    )


async def _reach(tx: ReadTx, contact_id: UUID, identifier_id: UUID) -> ReachOut:
    contact = await queries.get_contact(tx, contact_id)
    one = next((one for one in contact.identifiers if one.id == identifier_id), None)
    if one is None:
        raise IdentifierUnknown("GET the contact's identifiers to see those that there are")
    return ReachOut(
        reachability=one.reachability,
        reach_reason=one.reach_reason,
        reach_changes_at=one.reach_changes_at,
        evidence=await queries.list_evidence(tx, identifier_id=identifier_id),
    )


@addresses.get("", policy=needs("contacts:read"))
async def list_addresses(contact_id: UUID, tx: Read) -> list[PostalAddressOut]:
    """List the postal addresses of a contact with the days on which they hold."""
    return await queries.list_addresses(tx, contact_id)


@addresses.post("", policy=needs("contacts:write"), status_code=201)
async def add_address(
    contact_id: UUID, body: PostalAddressIn, tx: Write, response: Response
) -> PostalAddressOut:
    """Give a contact a postal address, from a day on or now; it is read into one spelling and kept as given."""
    person = await queries.get_for_update(tx, contact_id)
    given = {**body.model_dump(exclude={"reason"}), "kind": body.kind.value}
    address_id = await usecases.add_address(tx, person, given, reason=body.reason)
    response.headers["Location"] = f"/v1/contacts/{contact_id}/addresses/{address_id}"
    return PostalAddressOut.model_validate(await usecases.get_address(tx, contact_id, address_id))


@addresses.delete("/{address_id}", policy=needs("contacts:write"), status_code=204)
async def remove_address(contact_id: UUID, address_id: UUID, tx: Write) -> None:
    """Remove a postal address."""
    person = await queries.get_for_update(tx, contact_id)
    await usecases.remove_address(
        tx, person, await usecases.get_address(tx, contact_id, address_id)
    )


@addresses.post("/{address_id}/reachability", policy=needs("contacts:write"))
async def record_return(
    contact_id: UUID, address_id: UUID, body: EvidenceIn, tx: Write
) -> PostalAddressOut:
    """Tell what happened to a letter: it came back, or it arrived."""
    await queries.get_for_update(tx, contact_id)
    await usecases.get_address(tx, contact_id, address_id)
    target = Target(contact_id, address_id=address_id)
    await usecases.record_evidence(tx, [_evidence(target, body)])
    return next(one for one in await queries.list_addresses(tx, contact_id) if one.id == address_id)
