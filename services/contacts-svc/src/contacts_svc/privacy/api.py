"""The right to be forgotten, at the API."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from contacts_svc.privacy import queries, retention, usecases
from contacts_svc.privacy.schemas import ErasureOut, ReplayOut, RetentionIn, RetentionOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router

router = Router(prefix="/v1/contacts", tags=["privacy"])
overview = Router(prefix="/v1/privacy", tags=["privacy"])


@router.post("/erasures/replay", policy=needs("contacts:write", privileged=True))
async def replay_erasures(tx: Write) -> ReplayOut:
    """Erase again who came back with a restored database, and tell every service again who was erased."""
    again = await usecases.erase_again(tx)
    return ReplayOut(erased_again=again, announced=await usecases.announce_again(tx))


@router.delete("/{contact_id}", policy=needs("contacts:write", privileged=True), status_code=204)
async def erase_contact(contact_id: UUID, tx: Write, response: Response) -> None:
    """Erase a contact for good: every personal field is emptied, and every service is told to forget.

    `Location` leads to the receipts.
    """
    erasure_id = await usecases.erase(tx, contact_id)
    response.headers["Location"] = f"/v1/privacy/erasures/{erasure_id}"


@overview.get("/erasures", policy=needs("contacts:read"))
async def list_erasures(
    tx: Read,
    *,
    is_open: Annotated[bool, Query(description="Only those that wait for an answer")] = False,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[ErasureOut]:
    """List erasures with the answers of every service, the newest first."""
    return await queries.list_erasures(tx, is_open=is_open, cursor=cursor, limit=limit)


@overview.get("/erasures/{erasure_id}", policy=needs("contacts:read"))
async def get_erasure(erasure_id: UUID, tx: Read) -> ErasureOut:
    """Tell how far an erasure is, service by service, what was removed, and what stays and why."""
    return await queries.get_erasure(tx, erasure_id)


@overview.get("/retention", policy=needs("contacts:read"))
async def get_retention(tx: Read) -> RetentionOut:
    """Tell how long every kind of data is kept, in all services, and why."""
    return await retention.get_periods(tx)


@overview.put("/retention", policy=needs("contacts:write", privileged=True))
async def decide_retention(body: RetentionIn, tx: Write) -> RetentionOut:
    """Decide how long kinds of data are kept; what is older goes in the nights that follow."""
    await retention.decide(tx, body.periods)
    return await retention.get_periods(tx)
