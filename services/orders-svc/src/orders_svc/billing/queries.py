"""Read invoices and the ledger."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.billing.errors import BuyerForgotten, CurrencyDiffers, InvoiceNotFound
from orders_svc.billing.model import Invoice, InvoiceLine, InvoiceVat, is_owed
from orders_svc.billing.schemas import (
    InvoiceKind,
    InvoiceLineOut,
    InvoiceOut,
    VatOut,
)
from orders_svc.orders.model import SalesOrder


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is printed on an invoice."""

    invoice: Invoice
    order: SalesOrder
    lines: list[InvoiceLine]
    vat: list[InvoiceVat]
    credits: Invoice | None = None
    """The invoice that a credit note takes back from."""


async def get_invoice(tx: ReadTx, invoice_id: UUID) -> Invoice:
    """Return an invoice. Raises `InvoiceNotFound`."""
    invoice = await tx.get(Invoice, invoice_id)
    if invoice is None:
        raise InvoiceNotFound(f"No invoice has the id {invoice_id}")
    return invoice


async def get_sheets(tx: ReadTx, invoice_ids: Sequence[UUID]) -> list[Sheet]:
    """Return what is printed on documents, in this sequence. Raises `InvoiceNotFound`."""
    invoices = await _by_id(tx, invoice_ids)
    missing = [str(one) for one in invoice_ids if one not in invoices]
    if missing:
        raise InvoiceNotFound(f"No invoice has the id {', '.join(missing)}")
    credited = await _by_id(tx, [one.credits_id for one in invoices.values() if one.credits_id])
    rows = await tx.scalars(
        select(SalesOrder).where(
            col(SalesOrder.order_id).in_({one.order_id for one in invoices.values()})
        )
    )
    orders = {order.order_id: order for order in rows}
    lines, vat = await invoice_lines(tx, invoice_ids), await _vat_of(tx, invoice_ids)
    return [
        Sheet(
            invoice=invoices[one],
            order=orders[invoices[one].order_id],
            lines=lines[one],
            vat=vat.get(one, []),
            credits=credited[note_of] if (note_of := invoices[one].credits_id) else None,
        )
        for one in invoice_ids
    ]


async def _by_id(tx: ReadTx, invoice_ids: Iterable[UUID]) -> dict[UUID, Invoice]:
    rows = await tx.scalars(select(Invoice).where(col(Invoice.invoice_id).in_(set(invoice_ids))))
    return {invoice.invoice_id: invoice for invoice in rows}


async def find_sheet(tx: ReadTx, invoice_id: UUID) -> Sheet | None:
    """Return what is printed on a document, if there is one."""
    known = await _by_id(tx, [invoice_id])
    return (await get_sheets(tx, [invoice_id]))[0] if known else None


async def invoice_lines(
    tx: ReadTx, invoice_ids: Iterable[UUID]
) -> defaultdict[UUID, list[InvoiceLine]]:
    """Return the lines of invoices in their sequence."""
    found: defaultdict[UUID, list[InvoiceLine]] = defaultdict(list)
    rows = await tx.scalars(
        select(InvoiceLine)
        .where(col(InvoiceLine.invoice_id).in_(set(invoice_ids)))
        .order_by(col(InvoiceLine.invoice_id), col(InvoiceLine.line_no))
    )
    for line in rows:
        found[line.invoice_id].append(line)
    return found


async def _vat_of(tx: ReadTx, invoice_ids: Iterable[UUID]) -> dict[UUID, list[InvoiceVat]]:
    found: dict[UUID, list[InvoiceVat]] = {}
    rows = await tx.scalars(
        select(InvoiceVat)
        .where(col(InvoiceVat.invoice_id).in_(set(invoice_ids)))
        .order_by(col(InvoiceVat.invoice_id), col(InvoiceVat.vat_pct))
    )
    for share in rows:
        found.setdefault(share.invoice_id, []).append(share)
    return found


async def show_invoices(tx: ReadTx, invoices: Iterable[Invoice]) -> list[InvoiceOut]:
    """Return invoices with their lines and VAT."""
    listed = list(invoices)
    vat = await _vat_of(tx, [invoice.invoice_id for invoice in listed])
    lines = await invoice_lines(tx, [invoice.invoice_id for invoice in listed])
    shown = []
    for invoice in listed:
        out = InvoiceOut.model_validate(invoice)
        out.vat = [VatOut.model_validate(share) for share in vat.get(invoice.invoice_id, [])]
        out.lines = [InvoiceLineOut.model_validate(line) for line in lines[invoice.invoice_id]]
        shown.append(out)
    return shown


async def list_invoices(
    tx: ReadTx,
    *,
    order_id: UUID | None,
    reference: str | None,
    is_open: bool | None,
    kind: InvoiceKind | None,
    after: UUID | None,
    limit: int,
) -> list[Invoice]:
    """Return a page of invoices or credit notes in the sequence of their issue."""
    statement = select(Invoice).order_by(col(Invoice.invoice_id)).limit(limit)
    if order_id is not None:
        statement = statement.where(col(Invoice.order_id) == order_id)
    if reference is not None:
        statement = statement.where(col(Invoice.reference) == reference)
    if is_open is not None:
        statement = statement.where(is_owed() if is_open else ~is_owed())
    if kind is not None:
        statement = statement.where(col(Invoice.kind) == kind.value)
    if after is not None:
        statement = statement.where(col(Invoice.invoice_id) > after)
    return list(await tx.scalars(statement))


async def list_credit_notes(tx: ReadTx, invoice_id: UUID) -> list[Invoice]:
    """Return the credit notes of an invoice in the sequence of their issue."""
    statement = select(Invoice).where(col(Invoice.credits_id) == invoice_id)
    return list(await tx.scalars(statement.order_by(col(Invoice.invoice_id))))


async def check_currency(tx: ReadTx, invoice_id: UUID, currency: str) -> None:
    """Refuse another currency than that of an invoice. Raises `CurrencyDiffers`, `InvoiceNotFound`."""
    invoice = await get_invoice(tx, invoice_id)
    if invoice.currency != currency:
        raise CurrencyDiffers(
            f"currency: invoice {invoice.number} is in {invoice.currency}, not in {currency}"
        )


def check_buyer(invoice: Invoice) -> None:
    """Refuse to make a document anew whose buyer has been forgotten. Raises `BuyerForgotten`."""
    if not invoice.recipient:
        raise BuyerForgotten(
            f"{invoice.number} was made out to somebody who has been forgotten; a bookkeeper with books:read finds the"
            f" recipient by POST /v1/invoices/{invoice.invoice_id}/restricted-recipient"
        )
