"""Read invoices, payments and the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.billing.errors import InvoiceNotFound
from orders_svc.billing.model import Invoice, InvoiceVat, Payment, PaymentState, Posting
from orders_svc.billing.schemas import AccountSum, InvoiceOut, LedgerBalance, VatOut
from orders_svc.orders.model import OrderLine, SalesOrder
from orders_svc.orders.queries import get_order, lines_of


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is printed on an invoice."""

    invoice: Invoice
    order: SalesOrder
    lines: list[OrderLine]
    vat: list[InvoiceVat]


async def get_invoice(tx: ReadTx, invoice_id: UUID) -> Invoice:
    """Return an invoice. Raises `InvoiceNotFound`."""
    invoice = await tx.get(Invoice, invoice_id)
    if invoice is None:
        raise InvoiceNotFound(f"No invoice has the id {invoice_id}")
    return invoice


async def get_sheet(tx: ReadTx, invoice_id: UUID) -> Sheet:
    """Return what is printed on an invoice. Raises `InvoiceNotFound`."""
    invoice = await get_invoice(tx, invoice_id)
    order = await get_order(tx, invoice.order_id)
    lines = await lines_of(tx, [invoice.order_id])
    vat = await _vat_of(tx, [invoice_id])
    return Sheet(invoice, order, lines.get(invoice.order_id, []), vat.get(invoice_id, []))


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
    """Return invoices with their VAT."""
    listed = list(invoices)
    vat = await _vat_of(tx, [invoice.invoice_id for invoice in listed])
    shown = []
    for invoice in listed:
        out = InvoiceOut.model_validate(invoice)
        out.vat = [VatOut.model_validate(share) for share in vat.get(invoice.invoice_id, [])]
        shown.append(out)
    return shown


async def list_invoices(
    tx: ReadTx,
    *,
    order_id: UUID | None,
    reference: str | None,
    is_open: bool | None,
    after: UUID | None,
    limit: int,
) -> list[Invoice]:
    """Return a page of invoices in the sequence of their issue."""
    statement = select(Invoice).order_by(col(Invoice.invoice_id)).limit(limit)
    if order_id is not None:
        statement = statement.where(col(Invoice.order_id) == order_id)
    if reference is not None:
        statement = statement.where(col(Invoice.reference) == reference)
    if is_open is not None:
        unpaid = col(Invoice.paid_minor) < col(Invoice.total_minor)
        statement = statement.where(unpaid if is_open else ~unpaid)
    if after is not None:
        statement = statement.where(col(Invoice.invoice_id) > after)
    return list(await tx.scalars(statement))


async def list_payments(
    tx: ReadTx,
    *,
    state: PaymentState | None,
    invoice_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[Payment]:
    """Return a page of payments in the sequence of their booking."""
    statement = select(Payment).order_by(col(Payment.payment_id)).limit(limit)
    if state is not None:
        statement = statement.where(col(Payment.state) == state.value)
    if invoice_id is not None:
        statement = statement.where(col(Payment.invoice_id) == invoice_id)
    if after is not None:
        statement = statement.where(col(Payment.payment_id) > after)
    return list(await tx.scalars(statement))


async def ledger_balance(tx: ReadTx) -> LedgerBalance:
    """Return the sums of all accounts, and whether they cancel out in every currency."""
    rows = await tx.execute(
        select(
            col(Posting.account),
            col(Posting.currency),
            func.sum(col(Posting.amount_minor)).label("amount_minor"),
        )
        .group_by(col(Posting.account), col(Posting.currency))
        .order_by(col(Posting.account), col(Posting.currency))
    )
    accounts = [
        AccountSum(account=row.account, currency=row.currency, amount_minor=int(row.amount_minor))
        for row in rows
    ]
    sums: dict[str, int] = {}
    for one in accounts:
        sums[one.currency] = sums.get(one.currency, 0) + one.amount_minor
    return LedgerBalance(accounts=accounts, is_balanced=not any(sums.values()))
