"""Double entry: what is booked is never changed, and every transaction sums to nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from kantis_kit.calendar import date_in
from kantis_kit.errors import KantisError
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.base import insert_all
from orders_svc.billing.model import Account, Invoice, LedgerTransaction, Posting
from orders_svc.money import VatShare
from orders_svc.settings import OrdersSettings


class Unbalanced(KantisError):
    """A fault of ours: a transaction whose debit and credit differ."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a transaction; a side of nothing is left out."""

    account: Account
    amount_minor: int
    invoice_id: UUID | None = None
    person_id: UUID | None = None
    vat_pct: Decimal | None = None
    """Of revenue and VAT: a chart of accounts may have an account per rate."""


@dataclass(frozen=True, slots=True)
class Booking:
    """A business fact and its sides, in one currency; without a day it belongs to today."""

    kind: str
    subject_id: UUID
    currency: str
    entries: tuple[Entry, ...]
    booked_on: date | None = None
    label: str = ""
    """What a bookkeeper knows it by: the number of the invoice."""


async def book(tx: Tx, bookings: Sequence[Booking]) -> None:
    """Book facts, each once: a fact that is booked already breaks the transaction.

    What belongs to a locked period is booked today; the database sees to it.

    Raises:
        Unbalanced: debit and credit of a booking differ.
    """
    now = tx.clock.now()
    today = date_in(now, tx.settings(OrdersSettings).company_country)
    heads, rows = [], []
    for booking in bookings:
        if sum(entry.amount_minor for entry in booking.entries) != 0:
            message = f"{booking.kind} {booking.subject_id} does not balance"
            raise Unbalanced(message)
        transaction_id = new_id()
        sides = [entry for entry in booking.entries if entry.amount_minor]
        if not sides:
            continue
        heads.append(
            {
                "transaction_id": transaction_id,
                "kind": booking.kind,
                "subject_id": booking.subject_id,
                "booked_at": now,
                "booked_on": booking.booked_on or today,
                "label": booking.label,
            }
        )
        rows += [
            {
                "transaction_id": transaction_id,
                "line_no": line_no,
                "account": entry.account.value,
                "currency": booking.currency,
                "amount_minor": entry.amount_minor,
                "invoice_id": entry.invoice_id,
                "person_id": entry.person_id,
                "vat_pct": entry.vat_pct,
            }
            for line_no, entry in enumerate(sides, 1)
        ]
    if heads:
        await tx.execute(insert_all(LedgerTransaction, heads))
        await tx.execute(insert_all(Posting, rows))


def invoice_booking(invoice: Invoice, shares: Sequence[VatShare]) -> Booking:
    """Return what an invoice is in the ledger: the customer owes, we have sold, the state gets its VAT."""
    return Booking(
        "invoice",
        invoice.invoice_id,
        invoice.currency,
        (
            Entry(Account.RECEIVABLES, invoice.total_minor, invoice.invoice_id, invoice.person_id),
            *_sold(invoice, shares, sign=-1),
        ),
        label=invoice.number,
    )


def credit_booking(
    note: Invoice, shares: Sequence[VatShare], invoice: Invoice, settled_minor: int
) -> Booking:
    """Return what a credit note is: so much less is owed, and the rest of it, paid already, we owe the customer."""
    return Booking(
        "credit_note",
        note.invoice_id,
        note.currency,
        (
            *_sold(note, shares, sign=1),
            Entry(Account.RECEIVABLES, -settled_minor, invoice.invoice_id, note.person_id),
            Entry(Account.CUSTOMER_CREDIT, settled_minor - note.total_minor, None, note.person_id),
        ),
        label=note.number,
    )


def _sold(document: Invoice, shares: Sequence[VatShare], *, sign: int) -> Iterator[Entry]:
    for share in shares:
        for account, amount_minor in (
            (Account.REVENUE, share.net_minor),
            (Account.VAT, share.vat_minor),
        ):
            yield Entry(account, sign * amount_minor, document.invoice_id, vat_pct=share.vat_pct)
