"""Invoices and credit notes over HTTP."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from kantis_kit.auth.policy import needs
from kantis_kit.tx import read
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from kantis_kit.web.state import runtime_of
from orders_svc.billing import queries
from orders_svc.billing.credit_notes import credit_amounts, credit_lines
from orders_svc.billing.creditable import find_creditable
from orders_svc.billing.documents.receivers import receiver_of
from orders_svc.billing.documents.sheet import words_of
from orders_svc.billing.documents.typeset import typeset
from orders_svc.billing.documents.ubl import write_ubl
from orders_svc.billing.schemas import (
    CreditableOut,
    CreditNoteIn,
    CreditNotesOut,
    InvoiceKind,
    InvoiceOut,
    PrintIn,
)

PDF: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"content": {"application/pdf": {}}, "description": "The document"}},
}
Endpoint = Annotated[str, Query(pattern=r"^[0-9]{4}:[A-Za-z0-9.-]{1,50}$")]
Limit = Annotated[int, Query(ge=1, le=500)]

invoices = Router(prefix="/v1/invoices", tags=["billing"])


@invoices.get("", policy=needs("orders:read"))
async def list_invoices(
    tx: Read,
    *,
    order_id: UUID | None = None,
    reference: str | None = None,
    is_open: bool | None = None,
    kind: InvoiceKind = InvoiceKind.INVOICE,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[InvoiceOut]:
    """Return invoices, or with `kind=credit_note` credit notes, in the sequence of their issue."""
    rows = await queries.list_invoices(
        tx,
        order_id=order_id,
        reference=reference,
        is_open=is_open,
        kind=kind,
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


@invoices.post("/{invoice_id}/credit-notes", policy=needs("orders:write"), status_code=201)
async def credit_invoice(invoice_id: UUID, body: CreditNoteIn, tx: Write) -> InvoiceOut:
    """Take back pieces of an invoice's lines, or an amount per VAT rate as goodwill; the customer is told."""
    if body.currency is not None:
        await queries.check_currency(tx, invoice_id, body.currency)
    if body.lines:
        pieces = {line.line_no: line.quantity for line in body.lines}
        note = await credit_lines(tx, invoice_id, pieces, reason=body.reason)
    else:
        amounts = {one.vat_pct: one.amount_minor for one in body.amounts}
        note = await credit_amounts(tx, invoice_id, amounts, reason=body.reason)
    (shown,) = await queries.show_invoices(tx, [note])
    return shown


@invoices.get("/{invoice_id}/credit-notes", policy=needs("orders:read"))
async def list_credit_notes(invoice_id: UUID, tx: Read) -> CreditNotesOut:
    """Return the credit notes of an invoice, and what of it is left to credit."""
    invoice = await queries.get_invoice(tx, invoice_id)
    notes = await queries.list_credit_notes(tx, invoice_id)
    left = await find_creditable(tx, invoice)
    return CreditNotesOut(
        items=await queries.show_invoices(tx, notes),
        left=CreditableOut.model_validate(left.told()),
    )


@invoices.get("/{invoice_id}/pdf", policy=needs("orders:read"), **PDF)
async def get_invoice_pdf(invoice_id: UUID, request: Request) -> Response:
    """Return an invoice or credit note as it is printed; the same bytes each time."""
    sheets = await _sheets(request, [invoice_id])
    return await _printed(sheets, f"{sheets[0].invoice.number}.pdf")


@invoices.get(
    "/{invoice_id}/ubl",
    policy=needs("orders:read"),
    response_class=Response,
    responses={200: {"content": {"application/xml": {}}, "description": "Peppol BIS Billing 3.0"}},
)
async def get_invoice_ubl(
    invoice_id: UUID,
    tx: Read,
    endpoint: Endpoint | None = None,
    organisation_number: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{0,20}$")] = None,
    buyer_reference: Annotated[
        str | None, Query(max_length=100, pattern=r"^[^\x00-\x1f]*$")
    ] = None,
) -> Response:
    """Return an invoice or credit note as EHF / Peppol BIS Billing 3.0.

    `endpoint` is where the buyer gets it: scheme and number, such as `0192:987654325`. What is left out is as the payer
    has wished: see `PUT /v1/invoices/payers/{person_id}`.
    """
    (sheet,) = await queries.get_sheets(tx, [invoice_id])
    queries.check_buyer(sheet.invoice)
    receiver = await receiver_of(
        tx,
        sheet.invoice,
        endpoint=endpoint,
        organisation_number=organisation_number,
        reference=buyer_reference,
    )
    return Response(
        write_ubl(sheet, receiver),
        media_type="application/xml",
        headers={"Content-Disposition": f'inline; filename="{sheet.invoice.number}.xml"'},
    )


@invoices.post("/print-file", policy=needs("orders:read"), **PDF)
async def print_invoices(body: PrintIn, request: Request) -> Response:
    """Return up to 100 invoices and credit notes in one file for a printer, in the sequence given."""
    return await _printed(await _sheets(request, body.invoice_ids), "invoices.pdf")


async def _sheets(request: Request, invoice_ids: Sequence[UUID]) -> list[queries.Sheet]:
    # No Read dependency: the transaction must be over before the typesetter begins.
    async with read(runtime_of(request).scope) as tx:
        return await queries.get_sheets(tx, invoice_ids)


async def _printed(sheets: Sequence[queries.Sheet], name: str) -> Response:
    pdf = await asyncio.to_thread(typeset, [words_of(sheet) for sheet in sheets])
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(pdf, media_type="application/pdf", headers=headers)
