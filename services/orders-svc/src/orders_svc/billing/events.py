"""What of invoices leaves this service."""

from collections.abc import Iterable

from kantis_contracts.orders import (
    InvoiceCard,
    InvoiceCredited,
    InvoiceCreditedV1,
    InvoiceIssuedV1,
)
from kantis_kit.money import in_words
from orders_svc.billing.model import Invoice
from orders_svc.billing.parties import Seller
from orders_svc.billing.references import printed
from orders_svc.money import date_in_words


def invoices_issued(invoices: Iterable[Invoice]) -> InvoiceIssuedV1:
    """Say that invoices have been issued."""
    return InvoiceIssuedV1(
        items=tuple(
            InvoiceCard(
                invoice_id=invoice.invoice_id,
                order_id=invoice.order_id,
                person_id=invoice.person_id,
                campaign_id=invoice.campaign_id,
                cell_id=invoice.cell_id,
                number=invoice.number,
                reference=invoice.reference or "",
                total_minor=invoice.total_minor,
                currency=invoice.currency,
                due_on=invoice.due_on,
                issued_at=invoice.issued_at,
            )
            for invoice in invoices
        )
    )


def invoice_credited(note: Invoice, invoice: Invoice, settled_minor: int) -> InvoiceCreditedV1:
    """Say that a part of an invoice has been taken back."""
    return InvoiceCreditedV1(
        items=(
            InvoiceCredited(
                credit_note_id=note.invoice_id,
                invoice_id=invoice.invoice_id,
                order_id=note.order_id,
                person_id=note.person_id,
                campaign_id=note.campaign_id,
                cell_id=note.cell_id,
                number=note.number,
                amount_minor=note.total_minor,
                settled_minor=settled_minor,
                credited_minor=invoice.credited_minor,
                open_minor=invoice.open_minor,
                currency=note.currency,
                credited_at=note.issued_at,
            ),
        )
    )


def invoice_facts(invoice: Invoice, document_url: str) -> dict[str, str]:
    """Return what a message about an invoice can print."""
    return {
        "invoice_number": invoice.number,
        "amount": in_words(invoice.total_minor, invoice.currency, invoice.language),
        "reference": printed(invoice.reference or "", invoice.reference_kind),
        "due_on": date_in_words(invoice.due_on, invoice.language),
        "bank_account": Seller(**invoice.seller).account,
        "document_url": document_url,
    }


def credit_facts(note: Invoice, invoice: Invoice, document_url: str) -> dict[str, str]:
    """Return what a message about a credit note can print."""
    return {
        "invoice_number": invoice.number,
        "credit_note_number": note.number,
        "credited": in_words(note.total_minor, note.currency, note.language),
        "reason": note.credit_reason,
        "document_url": document_url,
    }
