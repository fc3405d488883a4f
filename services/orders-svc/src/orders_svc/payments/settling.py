"""Book payments on their invoices, many at a time, and take them back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, column, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col, select

from kantis_kit.db.sets import row_set
from kantis_kit.tx import Tx
from orders_svc.base import insert_all, table_of
from orders_svc.billing.ledger import Booking, Entry, book
from orders_svc.billing.model import Account, Invoice
from orders_svc.billing.usecases import close_orders
from orders_svc.claims import usecases as claims
from orders_svc.orders import usecases as orders
from orders_svc.payments import events
from orders_svc.payments.model import Arrival, MatchedBy, Payment, PaymentState


@dataclass(frozen=True, slots=True)
class Settled:
    """A payment, the invoice that it is for, and how that was found."""

    payment: Payment | Arrival
    invoice: Invoice
    by: MatchedBy


async def settle(tx: Tx, pairs: Sequence[Settled], *, source: Account, kind: str) -> None:
    """Book payments on invoices that are locked; what is too much is the customers' credit.

    Publishes what the invoices got, and which orders are paid in full by it.
    """
    owed = await claims.open_claims(tx, [one.invoice.invoice_id for one in pairs])
    spreads: dict[UUID, claims.Spread] = {}
    bookings: list[Booking] = []
    for one in pairs:
        payment, invoice = one.payment, one.invoice
        spread = claims.spread(invoice, owed.get(invoice.invoice_id, ()), payment.worth_minor)
        spreads[payment.payment_id] = spread
        payment.principal_minor = spread.principal_minor
        payment.applied_minor = spread.principal_minor + spread.claims_minor
        payment.credit_minor = payment.worth_minor - payment.applied_minor
        payment.invoice_id = invoice.invoice_id
        payment.state, payment.reason = PaymentState.BOOKED.value, ""
        payment.matched_by = one.by.value
        bookings += _bookings(payment, invoice, source, kind)
    await _write_paid(tx, {one.invoice.invoice_id: one.invoice for one in pairs}.values())
    await keep(tx, [one.payment for one in pairs if isinstance(one.payment, Arrival)])
    await claims.keep_spreads(tx, spreads)
    await book(tx, bookings)
    now = tx.clock.now()
    tx.stage(events.payments_booked([(one.payment, one.invoice) for one in pairs], now))
    full = {
        one.invoice.order_id
        for one in pairs
        if one.payment.principal_minor and not one.invoice.open_minor
    }
    if full:
        await close_orders(tx, full)


async def keep(tx: Tx, arrivals: Sequence[Arrival]) -> None:
    """Write down as payments what files told of, with what became of it."""
    if arrivals:
        names = [one.name for one in fields(Arrival)]
        values = attrgetter(*names)
        rows = [dict(zip(names, values(one), strict=True)) for one in arrivals]
        await tx.execute(insert_all(Payment, rows))


async def _write_paid(tx: Tx, invoices: Iterable[Invoice]) -> None:
    """Write in one statement what invoices have got."""
    told = row_set(
        "told",
        [column("invoice_id", Uuid()), column("paid_minor", BigInteger())],
        [(one.invoice_id, one.paid_minor) for one in invoices],
    )
    for one in invoices:
        # Or the session would write each of them by a statement of its own, before ours.
        set_committed_value(one, "paid_minor", one.paid_minor)
    table = table_of(Invoice)
    await tx.execute(
        update(table)
        .where(table.c.invoice_id == told.c.invoice_id)
        .values(paid_minor=told.c.paid_minor)
    )


async def reverse(
    tx: Tx, payment: Payment, reversal: Payment | Arrival, *, source: Account = Account.BANK
) -> None:
    """Take a payment back as if it had not come: the invoice and what is owed beside it are open again."""
    invoice = await _lock_invoice(tx, payment.invoice_id)
    was_paid = invoice is not None and not invoice.open_minor
    was_unmatched = payment.state == PaymentState.UNMATCHED
    to_claims = await claims.unpay(tx, payment.payment_id)
    person_id = invoice.person_id if invoice else payment.person_id
    if invoice is not None:
        invoice.paid_minor -= payment.principal_minor
    reversal.invoice_id = payment.invoice_id
    reversal.reverses_id = payment.payment_id
    reversal.state, reversal.reason = PaymentState.BOOKED.value, ""
    reversal.matched_by = MatchedBy.ORIGINAL.value
    back = (
        Entry(
            Account.RECEIVABLES,
            payment.principal_minor,
            invoice.invoice_id if invoice else None,
            person_id,
        ),
        Entry(Account.CLAIMS, to_claims, invoice.invoice_id if invoice else None, person_id),
        Entry(Account.CUSTOMER_CREDIT, payment.credit_minor, None, person_id),
        Entry(Account.UNMATCHED, payment.amount_minor if was_unmatched else 0),
    )
    subject = reversal.payment_id
    if invoice is not None and invoice.currency != payment.currency:
        away = (
            Entry(source, -payment.amount_minor),
            Entry(Account.EXCHANGE, payment.amount_minor),
        )
        owed = (*back, Entry(Account.EXCHANGE, -payment.worth_minor))
        await book(
            tx,
            [
                Booking("payment_reversed", subject, payment.currency, away),
                Booking("payment_exchange_reversed", subject, invoice.currency, owed),
            ],
        )
    else:
        entries = (*back, Entry(source, -payment.amount_minor))
        await book(tx, [Booking("payment_reversed", subject, payment.currency, entries)])
    payment.state = PaymentState.REVERSED.value
    if invoice is not None:
        tx.stage(events.payment_reversed(payment, reversal, invoice, tx.clock.now()))
        if was_paid and invoice.open_minor:
            await orders.mark_unpaid(tx, [invoice.order_id])


def hold_booking(payment: Payment | Arrival) -> Booking:
    """Return how money is booked of which nobody knows yet what it is for, or that went for no known reason."""
    amount = -payment.amount_minor if payment.is_reversal else payment.amount_minor
    return Booking(
        "payment",
        payment.payment_id,
        payment.currency,
        (Entry(Account.BANK, amount), Entry(Account.UNMATCHED, -amount)),
    )


def _bookings(
    payment: Payment | Arrival, invoice: Invoice, source: Account, kind: str
) -> list[Booking]:
    person_id, subject = invoice.person_id, payment.payment_id
    to_claims = payment.applied_minor - payment.principal_minor
    away = (
        Entry(Account.RECEIVABLES, -payment.principal_minor, invoice.invoice_id, person_id),
        Entry(Account.CLAIMS, -to_claims, invoice.invoice_id, person_id),
        Entry(Account.CUSTOMER_CREDIT, -payment.credit_minor, None, person_id),
    )
    came = Entry(source, payment.amount_minor)
    if payment.currency == invoice.currency:
        return [Booking(kind, subject, payment.currency, (came, *away))]
    return [
        Booking(
            kind,
            subject,
            payment.currency,
            (came, Entry(Account.EXCHANGE, -payment.amount_minor)),
        ),
        Booking(
            f"{kind}_exchange",
            subject,
            invoice.currency,
            (Entry(Account.EXCHANGE, payment.worth_minor), *away),
        ),
    ]


async def _lock_invoice(tx: Tx, invoice_id: UUID | None) -> Invoice | None:
    if invoice_id is None:
        return None
    found: Invoice | None = await tx.scalar(
        select(Invoice)
        .where(col(Invoice.invoice_id) == invoice_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found
