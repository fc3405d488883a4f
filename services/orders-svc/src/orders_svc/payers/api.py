"""How payers get their invoices, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from kantis_kit.auth.policy import needs
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from orders_svc.payers import queries, usecases
from orders_svc.payers.schemas import (
    DeliveryOut,
    DeliveryState,
    PayerIn,
    PayerOut,
    SettledOut,
    SettleIn,
    Way,
)

router = Router(prefix="/v1/invoices", tags=["billing"])


@router.put("/payers/{person_id}", policy=needs("orders:write"))
async def set_payer(person_id: UUID, body: PayerIn, tx: Write) -> PayerOut:
    """Say how somebody wants invoices: by e-mail, by letter, or as e-invoices where their organisation takes them."""
    return await usecases.set_payer(tx, person_id, body)


@router.get("/payers/{person_id}", policy=needs("orders:read"))
async def get_payer(person_id: UUID, tx: Read) -> PayerOut:
    """Return what a payer wishes, and how an invoice that is issued now would go."""
    return await queries.show_payer(tx, person_id)


@router.get("/deliveries", policy=needs("orders:read"))
async def list_deliveries(
    tx: Read,
    *,
    way: Way | None = None,
    state: DeliveryState = DeliveryState.WAITING,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[DeliveryOut]:
    """Return the documents that wait to be printed or handed to the network, or with `state=sent` those that were."""
    rows = await queries.list_deliveries(
        tx, way=way, state=state, after=id_after(cursor), limit=limit
    )
    more = encode_cursor(rows[-1].invoice_id) if len(rows) == limit else None
    return Page(items=[DeliveryOut.model_validate(row) for row in rows], next_cursor=more)


@router.post("/deliveries/settle", policy=needs("orders:write"))
async def settle(body: SettleIn, tx: Write) -> SettledOut:
    """Say what became of documents: sent, or refused by the network, so that they go by letter."""
    changed = await usecases.settle(tx, body.invoice_ids, body.outcome, reason=body.reason)
    return SettledOut(changed=changed)
