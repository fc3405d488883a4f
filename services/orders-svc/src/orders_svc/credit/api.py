"""Credit over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from kantis_kit.auth.policy import needs
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from orders_svc.credit import queries, usecases
from orders_svc.credit.schemas import HoldOut, ReleaseIn, TermsIn, TermsOut

router = Router(prefix="/v1/credit", tags=["credit"])


@router.put("/customers/{person_id}", policy=needs("orders:write"))
async def set_terms(person_id: UUID, body: TermsIn, tx: Write) -> TermsOut:
    """Agree with a customer: as a consumer or a business, and up to what they may owe."""
    return await usecases.set_terms(tx, person_id, body)


@router.get("/customers/{person_id}", policy=needs("orders:read"))
async def get_terms(person_id: UUID, tx: Read) -> TermsOut:
    """Return on which terms a customer buys, and what they owe now."""
    return await usecases.show_terms(tx, person_id)


@router.get("/holds", policy=needs("orders:read"))
async def list_holds(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page[HoldOut]:
    """Return the orders that are above their customers' limits and wait for a release."""
    rows = await queries.list_holds(tx, after=id_after(cursor), limit=limit)
    more = encode_cursor(rows[-1].order_id) if len(rows) == limit else None
    return Page(items=[HoldOut.model_validate(row) for row in rows], next_cursor=more)


@router.post("/holds/{order_id}/release", policy=needs("orders:write"))
async def release(order_id: UUID, body: ReleaseIn, tx: Write) -> HoldOut:
    """Let an order go out although it is above the limit."""
    return HoldOut.model_validate(await usecases.release(tx, order_id, body.reason))
