"""Messages: lists, one, why, and the decision on those in doubt."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, encode_cursor, id_after
from kantis_kit.web.router import Router
from messaging_svc.dispatch import explaining, queries, usecases
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.schemas import MessageOut, ResolveIn, Why

router = Router(prefix="/v1/messages", tags=["messages"])

Limit = Annotated[int, Query(ge=1, le=500)]


def _page(found: list[MessageOut], limit: int) -> Page[MessageOut]:
    return Page(
        items=found, next_cursor=encode_cursor(found[-1].id) if len(found) == limit else None
    )


@router.get("", policy=needs("messaging:read"))
async def list_messages(
    tx: Read,
    *,
    campaign_id: UUID | None = None,
    person_id: UUID | None = None,
    state: State | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[MessageOut]:
    """Return messages in the order of their planning."""
    found = await queries.list_messages(
        tx,
        campaign_id=campaign_id,
        person_id=person_id,
        state=state,
        after=id_after(cursor),
        limit=limit,
    )
    return _page(found, limit)


@router.get("/in-doubt", policy=needs("messaging:read"))
async def list_in_doubt(
    tx: Read, cursor: str | None = None, limit: Limit = 100
) -> Page[MessageOut]:
    """Return messages that were handed over and never answered: they wait for a person."""
    return _page(
        await queries.list_messages(tx, state=State.IN_DOUBT, after=id_after(cursor), limit=limit),
        limit,
    )


@router.get("/{message_id}", policy=needs("messaging:read"))
async def get_message(message_id: UUID, tx: Read) -> MessageOut:
    """Return a message."""
    return await queries.get_message(tx, message_id)


@router.get("/{message_id}/why", policy=needs("messaging:read"))
async def explain_message(message_id: UUID, tx: Read) -> Why:
    """Return why this person got, or did not get, this message."""
    return await explaining.explain(tx, message_id)


@router.post("/{message_id}/resolve", policy=needs("messaging:write", privileged=True))
async def resolve_message(message_id: UUID, body: ResolveIn, tx: Write) -> MessageOut:
    """Decide on a message in doubt: it was sent, or it was not and is sent now."""
    await usecases.resolve_in_doubt(
        tx, message_id, was_sent=body.outcome == "sent", reason=body.reason
    )
    return await queries.get_message(tx, message_id)
