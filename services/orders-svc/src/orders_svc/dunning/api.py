"""Dunning over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from kantis_contracts.orders import DunningState
from kantis_kit.auth.policy import needs
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from orders_svc.dunning import queries, usecases
from orders_svc.dunning.schemas import CaseOut, StepIn

Limit = Annotated[int, Query(ge=1, le=500)]

invoices = Router(prefix="/v1/invoices", tags=["dunning"])
cases = Router(prefix="/v1/dunning", tags=["dunning"])


@invoices.post("/{invoice_id}/dunning", policy=needs("orders:write"))
async def take_step(invoice_id: UUID, body: StepIn, tx: Write) -> CaseOut:
    """Enter a step that was taken about an unpaid invoice."""
    await usecases.take_step(tx, invoice_id, body.step, taken_on=body.taken_on)
    await tx.flush()
    return await queries.show_case(tx, invoice_id)


@invoices.get("/{invoice_id}/dunning", policy=needs("orders:read"))
async def get_case(invoice_id: UUID, tx: Read) -> CaseOut:
    """Return how an invoice is followed up, with every step."""
    return await queries.show_case(tx, invoice_id)


@cases.get("", policy=needs("orders:read"))
async def list_cases(
    tx: Read,
    *,
    state: Annotated[list[DunningState] | None, Query(max_length=10)] = None,
    person_id: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[CaseOut]:
    """Return the unpaid invoices that are followed up, without their steps; `state` may be given several times."""
    rows = await queries.list_cases(
        tx, states=state or (), person_id=person_id, after=id_after(cursor), limit=limit
    )
    more = encode_cursor(rows[-1].invoice_id) if len(rows) == limit else None
    return Page(items=rows, next_cursor=more)
