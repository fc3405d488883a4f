"""Insights at the API: the vocabulary, what was learned, and products that answer needs."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from contacts_svc.facts.queries import get_known
from contacts_svc.insights import queries, usecases
from contacts_svc.insights.model import InsightKind, InsightSource
from contacts_svc.insights.schemas import (
    InsightOut,
    InsightsIn,
    Key,
    MatchOut,
    ProductOut,
    ProductsIn,
    TermIn,
    TermOut,
    TermPut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import Instant

router = Router(prefix="/v1/insights", tags=["insights"])
of_contact = Router(prefix="/v1/contacts/{contact_id}", tags=["insights"])

Cursor = Annotated[str | None, Query(max_length=500)]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.post("/terms", policy=needs("contacts:write"), status_code=201)
async def make_term(body: TermIn, tx: Write, response: Response) -> TermOut:
    """Add a word to the vocabulary, in five languages."""
    term = await usecases.make_term(tx, body)
    response.headers["Location"] = f"/v1/insights/terms/{term.id}"
    response.headers["ETag"] = etag(term.version)
    return queries.term_out(term)


@router.get("/terms", policy=needs("contacts:read"))
async def list_terms(
    tx: Read,
    *,
    kind: InsightKind | None = None,
    with_closed: bool = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[TermOut]:
    """List the vocabulary in the order of its making."""
    return await queries.list_terms(
        tx, kind=kind, with_closed=with_closed, cursor=cursor, limit=limit
    )


@router.get("/terms/{term_id}", policy=needs("contacts:read"))
async def get_term(term_id: UUID, tx: Read, response: Response) -> TermOut:
    """Return a term."""
    term = await queries.get_term(tx, term_id)
    response.headers["ETag"] = etag(term.version)
    return queries.term_out(term)


@router.put("/terms/{term_id}", policy=needs("contacts:write"))
async def change_term(
    term_id: UUID, body: TermPut, request: Request, tx: Write, response: Response
) -> TermOut:
    """Replace the words of a term that has not changed since it was read (If-Match); close or open it."""
    term = await queries.lock_term(tx, term_id)
    require_match(request, term.version)
    usecases.change_term(tx, term, body)
    response.headers["ETag"] = etag(term.version)
    return queries.term_out(term)


@router.delete("/terms/{term_id}", policy=needs("contacts:write"), status_code=204)
async def close_term(term_id: UUID, tx: Write) -> None:
    """Close a term: nothing new is said with it, what was said stays."""
    usecases.close_term(tx, await queries.lock_term(tx, term_id))


@router.get("/terms/{term_id}/products", policy=needs("contacts:read"))
async def list_products(term_id: UUID, tx: Read) -> list[ProductOut]:
    """List the products that answer a need, the best first."""
    await queries.get_term(tx, term_id)
    return await queries.list_products(tx, term_id)


@router.put("/terms/{term_id}/products", policy=needs("contacts:write"))
async def match_products(term_id: UUID, body: ProductsIn, tx: Write) -> list[ProductOut]:
    """Say which products answer a need; they replace those before."""
    await usecases.match_products(tx, await queries.lock_term(tx, term_id), body.items)
    return await queries.list_products(tx, term_id)


@router.get("", policy=needs("contacts:read"))
async def list_insights(
    tx: Read,
    *,
    term: Annotated[Key | None, Query()] = None,
    kind: InsightKind | None = None,
    source: InsightSource | None = None,
    campaign_id: UUID | None = None,
    since: Instant | None = None,
    before: Instant | None = None,
    min_strength: Annotated[int | None, Query(ge=1, le=5)] = None,
    holds_only: bool = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[InsightOut]:
    """Tell who said what, the newest first."""
    wanted = queries.Wanted(
        term=term,
        kind=kind,
        source=source,
        campaign_id=campaign_id,
        since=since,
        before=before,
        min_strength=min_strength,
        holds_only=holds_only,
    )
    return await queries.list_insights(tx, wanted, cursor=cursor, limit=limit)


@of_contact.post("/insights", policy=needs("contacts:write"), status_code=201)
async def record_insights(contact_id: UUID, body: InsightsIn, tx: Write) -> Page[InsightOut]:
    """Enter what was learned about a contact; returns what is known now, the newest first."""
    person_id = await get_known(tx, contact_id)
    await usecases.record_by_hand(tx, person_id, body.items)
    return await queries.list_insights(
        tx, queries.Wanted(person_id=person_id), cursor=None, limit=100
    )


@of_contact.get("/insights", policy=needs("contacts:read"))
async def list_of_contact(
    contact_id: UUID,
    tx: Read,
    *,
    kind: InsightKind | None = None,
    holds_only: bool = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[InsightOut]:
    """Tell what was learned about a contact, the newest first."""
    person_id = await get_known(tx, contact_id)
    wanted = queries.Wanted(person_id=person_id, kind=kind, holds_only=holds_only)
    return await queries.list_insights(tx, wanted, cursor=cursor, limit=limit)


@of_contact.delete("/insights/{insight_id}", policy=needs("contacts:write"), status_code=204)
async def take_back(contact_id: UUID, insight_id: UUID, tx: Write) -> None:
    """Remove an insight that was entered by mistake."""
    await usecases.take_back(tx, await get_known(tx, contact_id), insight_id)


@of_contact.get("/matches", policy=needs("contacts:read"))
async def list_matches(
    contact_id: UUID, tx: Read, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> list[MatchOut]:
    """List the products on sale that answer what a contact needs, the best first."""
    return await queries.list_matches(tx, await get_known(tx, contact_id), limit=limit)
