"""Value and lifecycle at the API."""

from uuid import UUID

from fastapi import Request, Response

from contacts_svc.facts.queries import get_known
from contacts_svc.value import queries, usecases
from contacts_svc.value.rules import Rules
from contacts_svc.value.schemas import BandsOut, ClassOut, LifecycleIn, LifecycleOut, ValueOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.router import Router

router = Router(prefix="/v1/value", tags=["value"])
of_contact = Router(prefix="/v1/contacts/{contact_id}", tags=["value"])


@router.get("/bands", policy=needs("contacts:read"))
async def get_bands(tx: Read, response: Response) -> BandsOut:
    """Return the bands of recency, frequency and money, the tiers, and the days of the lifecycle."""
    bands = await queries.get_bands(tx)
    response.headers["ETag"] = etag(bands.version)
    return bands


@router.put("/bands", policy=needs("contacts:write", privileged=True))
async def set_bands(body: Rules, request: Request, tx: Write, response: Response) -> BandsOut:
    """Replace bands that have not changed since they were read (If-Match); everybody's value follows."""
    row = await queries.lock_rules(tx)
    require_match(request, row.version if row else 0)
    await usecases.set_rules(tx, row, body)
    bands = await queries.get_bands(tx)
    response.headers["ETag"] = etag(bands.version)
    return bands


@router.get("/classes", policy=needs("contacts:read"))
async def count_classes(tx: Read) -> list[ClassOut]:
    """Tell how many people are in each tier and class, and what they have ordered."""
    return await queries.count_classes(tx)


@of_contact.get("/value", policy=needs("contacts:read"))
async def get_value(contact_id: UUID, tx: Read) -> ValueOut:
    """Return what a contact is worth to the company."""
    return await queries.get_value(tx, await get_known(tx, contact_id))


@of_contact.get("/lifecycle", policy=needs("contacts:read"))
async def get_lifecycle(contact_id: UUID, tx: Read) -> LifecycleOut:
    """Return where a contact stands, and how they came there."""
    return await queries.get_lifecycle(tx, await get_known(tx, contact_id))


@of_contact.put("/lifecycle", policy=needs("contacts:write"))
async def pin_lifecycle(contact_id: UUID, body: LifecycleIn, tx: Write) -> LifecycleOut:
    """Set the lifecycle by hand; no rule touches it before `until`."""
    person_id = await get_known(tx, contact_id)
    await usecases.pin_lifecycle(tx, person_id, body)
    return await queries.get_lifecycle(tx, person_id)


@of_contact.delete("/lifecycle", policy=needs("contacts:write"), status_code=204)
async def unpin_lifecycle(contact_id: UUID, tx: Write) -> None:
    """Let the rule decide again, at once."""
    await usecases.unpin_lifecycle(tx, await get_known(tx, contact_id))
