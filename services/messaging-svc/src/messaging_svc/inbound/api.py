"""Messages that came in, at the API, and the door through which providers deliver them."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from kantis_kit.auth.policy import needs, public
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, id_after, page_by_id
from kantis_kit.web.router import Router
from messaging_svc.inbound import queries, usecases
from messaging_svc.inbound.schemas import (
    InboundOut,
    KeywordIn,
    KeywordOut,
    PollOut,
)
from messaging_svc.sms.posting import accept

router = Router(prefix="/v1/inbound", tags=["inbound"])
hooks = Router(prefix="/w/sms")
_SIGNED = "the secret in the address and the provider's signature stand for a key"
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("", policy=needs("messaging:read"))
async def list_inbound(
    tx: Read,
    *,
    is_open: bool | None = None,
    kind: str | None = None,
    person_id: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[InboundOut]:
    """Return what came in; open messages wait for a person."""
    found = await queries.list_inbound(
        tx, is_open=is_open, kind=kind, person_id=person_id, after=id_after(cursor), limit=limit
    )
    return page_by_id(found, limit)


@router.get("/keywords", policy=needs("messaging:read"))
async def list_keywords(tx: Read) -> Sequence[KeywordOut]:
    """Return the words that do something."""
    return await queries.list_keywords(tx)


@router.post("/keywords", policy=needs("messaging:write"), status_code=201)
async def add_keyword(body: KeywordIn, tx: Write) -> KeywordOut:
    """Give a word a meaning: a vote, an order, a question, or an answer of its own."""
    keyword_id = await usecases.add_keyword(tx, body)
    return next(one for one in await queries.list_keywords(tx) if one.id == keyword_id)


@router.delete("/keywords/{keyword_id}", policy=needs("messaging:write"), status_code=204)
async def remove_keyword(keyword_id: UUID, tx: Write) -> None:
    """Take a word's meaning away; votes that were counted stay."""
    await usecases.remove_keyword(tx, keyword_id)


@router.get("/polls/{poll}", policy=needs("messaging:read"))
async def get_poll(poll: Annotated[str, Path(max_length=60)], tx: Read) -> PollOut:
    """Return how people have voted, each once."""
    return await queries.get_poll(tx, poll)


@router.get("/{inbound_id}", policy=needs("messaging:read"))
async def get_inbound(inbound_id: UUID, tx: Read) -> InboundOut:
    """Return a message that came in."""
    return await queries.get_inbound(tx, inbound_id)


@hooks.post("/{provider}/{secret}/inbound", policy=public(_SIGNED))
async def take(provider: str, secret: str, request: Request, tx: Write) -> Response:
    """Take text messages that people have sent to us."""
    adapter, posted = await accept(request, tx, provider, secret)
    await usecases.take(tx, provider, adapter.received(posted, now=tx.clock.now()))
    return Response(status_code=200)
