"""Facts of money: what was invoiced, paid, taken back, and how unpaid invoices are followed up."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.values import Currency


class InvoiceCard(Item):
    """An invoice as others need it."""

    invoice_id: UUID
    order_id: UUID
    person_id: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    number: str
    reference: str
    total_minor: int
    currency: Currency
    due_on: date
    issued_at: datetime


class InvoiceIssuedV1(Event, type="orders.invoice.issued.v1"):
    """Invoices have been issued."""

    items: tuple[InvoiceCard, ...] = Items


class InvoiceCredited(Item):
    """A part of an invoice that has been taken back by a credit note.

    `settled_minor` of the amount reduced what was owed, the rest had been paid and is the customer's credit.
    `credited_minor` is what all credit notes so far took off what was owed, `open_minor` what is still owed.
    """

    credit_note_id: UUID
    invoice_id: UUID
    order_id: UUID
    person_id: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    number: str
    amount_minor: int
    settled_minor: int
    credited_minor: int
    open_minor: int
    currency: Currency
    credited_at: datetime


class InvoiceCreditedV1(Event, type="orders.invoice.credited.v1"):
    """Parts of invoices have been taken back."""

    items: tuple[InvoiceCredited, ...] = Items


class PaymentBooked(Item):
    """Money that came in for an invoice; `open_minor` is what is still owed."""

    payment_id: UUID
    invoice_id: UUID
    order_id: UUID
    person_id: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    amount_minor: int
    currency: Currency
    open_minor: int
    booked_at: datetime


class PaymentBookedV1(Event, type="orders.payment.booked.v1"):
    """Payments have been booked."""

    items: tuple[PaymentBooked, ...] = Items


class PaymentReversed(Item):
    """Money that had been booked for an invoice and was taken back; `open_minor` is what is owed again."""

    reversal_id: UUID
    payment_id: UUID
    invoice_id: UUID
    order_id: UUID
    person_id: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    amount_minor: int
    currency: Currency
    open_minor: int
    reversed_at: datetime


class PaymentReversedV1(Event, type="orders.payment.reversed.v1"):
    """Payments have been taken back."""

    items: tuple[PaymentReversed, ...] = Items


class DunningState(StrEnum):
    """How an unpaid invoice is being followed up.

    `none` is not yet, or no longer; `paused` and `disputed` hold it back; `with_agency` has left the house.
    """

    NONE = "none"
    REMINDED = "reminded"
    WARNED = "warned"
    PAUSED = "paused"
    DISPUTED = "disputed"
    WITH_AGENCY = "with_agency"


class DunningChanged(Item):
    """Where the dunning of an invoice stands; `version` grows with each step, `reminders` is how many were sent."""

    invoice_id: UUID
    order_id: UUID
    person_id: UUID
    campaign_id: UUID | None = None
    version: int
    state: DunningState
    reminders: int
    open_minor: int
    currency: Currency
    changed_at: datetime


class DunningChangedV1(Event, type="orders.dunning.changed.v1"):
    """Invoices that are not paid are followed up, or no longer."""

    items: tuple[DunningChanged, ...] = Items
