"""What of an invoice is left to credit."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.billing.model import Invoice, InvoiceLine, InvoiceVat
from orders_svc.billing.queries import invoice_lines
from orders_svc.billing.schemas import InvoiceKind
from orders_svc.money import VatShare


@dataclass(frozen=True, slots=True)
class Creditable:
    """What of an invoice is left to credit: pieces per line, and per rate its VAT and what with it."""

    pieces: Mapping[int, int]
    rates: Mapping[Decimal, VatShare]

    def gross_minor(self, vat_pct: Decimal) -> int:
        """Return what is left at a rate, VAT included."""
        share = self.rates.get(vat_pct)
        return share.net_minor + share.vat_minor if share else 0

    def told(self) -> dict[str, Any]:
        """Return it for a person who asked for more."""
        return {
            "lines": [
                {"line_no": line_no, "quantity": pieces}
                for line_no, pieces in sorted(self.pieces.items())
            ],
            "amounts": [
                {"vat_pct": float(rate), "amount_minor": self.gross_minor(rate)}
                for rate in sorted(self.rates)
            ],
        }


async def find_creditable(tx: ReadTx, invoice: Invoice) -> Creditable:
    """Return what of an invoice is left to credit; nothing of a credit note."""
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return Creditable({}, {})
    notes = select(col(Invoice.invoice_id)).where(col(Invoice.credits_id) == invoice.invoice_id)
    lines = (await invoice_lines(tx, [invoice.invoice_id]))[invoice.invoice_id]
    pieces = {line.line_no: line.quantity for line in lines}
    for line in await tx.scalars(select(InvoiceLine).where(col(InvoiceLine.invoice_id).in_(notes))):
        if line.credits_line is not None:
            pieces[line.credits_line] -= line.quantity
    rates: dict[Decimal, VatShare] = {}
    for share in await tx.scalars(
        select(InvoiceVat).where(
            col(InvoiceVat.invoice_id).in_(notes)
            | (col(InvoiceVat.invoice_id) == invoice.invoice_id)
        )
    ):
        sign = 1 if share.invoice_id == invoice.invoice_id else -1
        before = rates.get(share.vat_pct, VatShare(share.vat_pct, 0, 0))
        rates[share.vat_pct] = VatShare(
            share.vat_pct,
            before.net_minor + sign * share.net_minor,
            before.vat_minor + sign * share.vat_minor,
        )
    return Creditable(pieces, rates)
