"""Invoices, payments and the ledger over HTTP."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from kantis_kit.auth.policy import needs
from kantis_kit.tx import read
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from kantis_kit.web.state import runtime_of
from orders_svc.billing import queries, usecases
from orders_svc.billing.model import PaymentState
from orders_svc.billing.schemas import (
    InvoiceOut,
    LedgerBalance,
    MatchIn,
    PaymentIn,
    PaymentOut,
)
from orders_svc.billing.sheet import invoice_words, render
from orders_svc.settings import OrdersSettings

Limit = Annotated[int, Query(ge=1, le=500)]

invoices = Router(prefix="/v1/invoices", tags=["billing"])
payments = Router(prefix="/v1/payments", tags=["billing"])
ledger = Router(prefix="/v1/ledger", tags=["billing"])


@invoices.get("", policy=needs("orders:read"))
async def list_invoices(
    tx: Read,
    *,
    order_id: UUID | None = None,
    reference: str | None = None,
    is_open: bool | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[InvoiceOut]:
    """Return invoices in the sequence of their issue."""
    rows = await queries.list_invoices(
        tx,
        order_id=order_id,
        reference=reference,
        is_open=is_open,
        after=id_after(cursor),
        limit=limit,
    )
    more = encode_cursor(rows[-1].invoice_id) if len(rows) == limit else None
    return Page(items=await queries.show_invoices(tx, rows), next_cursor=more)


@invoices.get("/{invoice_id}", policy=needs("orders:read"))
async def get_invoice(invoice_id: UUID, tx: Read) -> InvoiceOut:
    """Return an invoice."""
    (shown,) = await queries.show_invoices(tx, [await queries.get_invoice(tx, invoice_id)])
    return shown


@invoices.get(
    "/{invoice_id}/pdf",
    policy=needs("orders:read"),
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The invoice"}},
)
async def get_invoice_pdf(invoice_id: UUID, request: Request) -> Response:
    """Return an invoice as it is printed; the same bytes each time."""
    # No Read dependency: the transaction must be over before the typesetter begins.
    async with read(runtime_of(request).scope) as tx:
        sheet = await queries.get_sheet(tx, invoice_id)
        words = invoice_words(sheet, tx.settings(OrdersSettings))
    pdf = await asyncio.to_thread(render, words)
    name = f"invoice-{sheet.invoice.number}.pdf"
    return Response(
        pdf,
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


@payments.post("", policy=needs("orders:write"), status_code=201)
async def take_payment(body: PaymentIn, tx: Write) -> PaymentOut:
    """Book money that came in; what no invoice explains is held as unmatched."""
    return PaymentOut.model_validate(await usecases.take_payment(tx, body))


@payments.get("", policy=needs("orders:read"))
async def list_payments(
    tx: Read,
    *,
    state: PaymentState | None = None,
    invoice_id: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[PaymentOut]:
    """Return payments in the sequence of their booking; `state=unmatched` lists those that need a person."""
    rows = await queries.list_payments(
        tx, state=state, invoice_id=invoice_id, after=id_after(cursor), limit=limit
    )
    more = encode_cursor(rows[-1].payment_id) if len(rows) == limit else None
    return Page(items=[PaymentOut.model_validate(row) for row in rows], next_cursor=more)


@payments.post("/{payment_id}/match", policy=needs("orders:write"))
async def match_payment(payment_id: UUID, body: MatchIn, tx: Write) -> PaymentOut:
    """Book an unmatched payment on the invoice that it was meant for."""
    return PaymentOut.model_validate(await usecases.match_payment(tx, payment_id, body.reference))


@ledger.get("/balance", policy=needs("orders:read"))
async def show_balance(tx: Read) -> LedgerBalance:
    """Return the sum of every account and currency; together they are nothing."""
    return await queries.ledger_balance(tx)
