"""Interactions at the API."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from contacts_svc.facts.queries import get_known
from contacts_svc.interactions import queries, usecases
from contacts_svc.interactions.model import InteractionKind
from contacts_svc.interactions.schemas import InteractionOut, InteractionsIn, RecordedOut
from kantis_kit.auth.policy import needs
from kantis_kit.errors import Invalid
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import Instant

FIRST_YEAR, LAST_YEAR = 1900, 9000
router = Router(prefix="/v1/interactions", tags=["interactions"])
of_contact = Router(prefix="/v1/contacts/{contact_id}/interactions", tags=["interactions"])

Cursor = Annotated[str | None, Query(max_length=500)]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.post("", policy=needs("contacts:write"), status_code=201)
async def record_interactions(body: InteractionsIn, tx: Write) -> list[RecordedOut]:
    """Tell up to 1,000 interactions; what a source tells again by its external id is kept once."""
    return await usecases.record_interactions(tx, body.items)


@router.get("", policy=needs("contacts:read"))
async def list_interactions(
    tx: Read,
    *,
    kind: InteractionKind | None = None,
    source: Annotated[str | None, Query(max_length=100)] = None,
    campaign_id: UUID | None = None,
    since: Instant | None = None,
    before: Instant | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[InteractionOut]:
    """List interactions, the newest first."""
    if source is not None and "\x00" in source:
        raise Invalid("source: holds a NUL character")
    for name, value in (("since", since), ("before", before)):
        if value is not None and not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise Invalid(f"{name}: a moment between the years {FIRST_YEAR} and {LAST_YEAR}")
    wanted = queries.Wanted(
        kind=kind, source=source, campaign_id=campaign_id, since=since, before=before
    )
    return await queries.list_interactions(tx, wanted, cursor=cursor, limit=limit)


@router.delete("/{interaction_id}", policy=needs("contacts:write"), status_code=204)
async def take_back(interaction_id: UUID, tx: Write) -> None:
    """Remove an interaction that was told by mistake."""
    await usecases.take_back(tx, interaction_id)


@of_contact.get("", policy=needs("contacts:read"))
async def list_of_contact(
    contact_id: UUID,
    tx: Read,
    *,
    kind: InteractionKind | None = None,
    since: Instant | None = None,
    before: Instant | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[InteractionOut]:
    """List what happened between a contact and the company, the newest first."""
    person_id = await get_known(tx, contact_id)
    wanted = queries.Wanted(person_id=person_id, kind=kind, since=since, before=before)
    return await queries.list_interactions(tx, wanted, cursor=cursor, limit=limit)
