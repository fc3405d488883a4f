"""What of payments leaves this service."""

from collections.abc import Iterable
from datetime import datetime

from kantis_contracts.orders import (
    PaymentBooked,
    PaymentBookedV1,
    PaymentReversed,
    PaymentReversedV1,
)
from orders_svc.billing.model import Invoice
from orders_svc.payments.model import Arrival, Payment


def payments_booked(
    booked: Iterable[tuple[Payment | Arrival, Invoice]], at: datetime
) -> PaymentBookedV1:
    """Say that invoices have got money; what was paid too much, or for fees and interest, is not part of it."""
    return PaymentBookedV1(
        items=tuple(
            PaymentBooked(
                payment_id=payment.payment_id,
                invoice_id=invoice.invoice_id,
                order_id=invoice.order_id,
                person_id=invoice.person_id,
                campaign_id=invoice.campaign_id,
                cell_id=invoice.cell_id,
                amount_minor=payment.principal_minor,
                currency=invoice.currency,
                open_minor=invoice.open_minor,
                booked_at=at,
            )
            for payment, invoice in booked
            if payment.principal_minor
        )
    )


def payment_reversed(
    payment: Payment, reversal: Payment | Arrival, invoice: Invoice, at: datetime
) -> PaymentReversedV1:
    """Say that an invoice has lost money again that had been booked on it."""
    return PaymentReversedV1(
        items=(
            PaymentReversed(
                reversal_id=reversal.payment_id,
                payment_id=payment.payment_id,
                invoice_id=invoice.invoice_id,
                order_id=invoice.order_id,
                person_id=invoice.person_id,
                campaign_id=invoice.campaign_id,
                cell_id=invoice.cell_id,
                amount_minor=payment.principal_minor,
                currency=invoice.currency,
                open_minor=invoice.open_minor,
                reversed_at=at,
            ),
        )
        if payment.principal_minor
        else ()
    )
