"""What of invoices and payments leaves this service."""

from collections.abc import Iterable
from datetime import datetime

from kantis_contracts.orders import (
    InvoiceCard,
    InvoiceIssuedV1,
    PaymentBooked,
    PaymentBookedV1,
)
from kantis_kit.money import in_words
from orders_svc.billing.model import Invoice, Payment
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
                reference=invoice.reference,
                total_minor=invoice.total_minor,
                currency=invoice.currency,
                due_on=invoice.due_on,
                issued_at=invoice.issued_at,
            )
            for invoice in invoices
        )
    )


def payment_booked(payment: Payment, invoice: Invoice, at: datetime) -> PaymentBookedV1:
    """Say that an invoice has got money; what was paid too much is not part of it."""
    return PaymentBookedV1(
        items=(
            PaymentBooked(
                payment_id=payment.payment_id,
                invoice_id=invoice.invoice_id,
                order_id=invoice.order_id,
                person_id=invoice.person_id,
                campaign_id=invoice.campaign_id,
                cell_id=invoice.cell_id,
                amount_minor=payment.applied_minor,
                currency=payment.currency,
                open_minor=invoice.open_minor,
                booked_at=at,
            ),
        )
    )


def invoice_facts(invoice: Invoice, bank_account: str) -> dict[str, str]:
    """Return what a message about an invoice can print."""
    return {
        "invoice_number": invoice.number,
        "amount": in_words(invoice.total_minor, invoice.currency, invoice.language),
        "reference": invoice.reference,
        "due_on": date_in_words(invoice.due_on, invoice.language),
        "bank_account": bank_account,
    }
