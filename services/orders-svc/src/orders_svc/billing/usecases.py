"""Issue invoices and book what is paid."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.billing import events
from orders_svc.billing.errors import (
    AlreadyMatched,
    ExternalIdReused,
    InvoiceNotFound,
    OtherCurrency,
    PaymentNotFound,
)
from orders_svc.billing.ledger import Booking, Entry, book
from orders_svc.billing.model import (
    KID_BASES,
    Account,
    Invoice,
    InvoiceSeries,
    InvoiceVat,
    Payment,
    PaymentState,
)
from orders_svc.billing.references import kid, luhn_digit, mod11_digit
from orders_svc.billing.schemas import PaymentIn
from orders_svc.calendar import date_in
from orders_svc.money import split_by_rate
from orders_svc.orders import usecases as orders_usecases
from orders_svc.orders.events import notice, notices_requested
from orders_svc.orders.model import OrderLine, SalesOrder
from orders_svc.orders.queries import address_of
from orders_svc.people.model import Person
from orders_svc.people.queries import find_persons
from orders_svc.settings import OrdersSettings

NUMBER_DIGITS = 6


async def issue_invoices(
    tx: Tx, orders: Sequence[SalesOrder], lines: Mapping[UUID, Sequence[OrderLine]]
) -> list[Invoice]:
    """Issue the invoices of orders that ship, with gapless numbers, and ask for messages to the customers.

    An invoice of nothing counts as paid at once.
    """
    settings = tx.settings(OrdersSettings)
    now = tx.clock.now()
    today = date_in(now, settings.company_country)
    persons = await find_persons(tx, [order.person_id for order in orders])
    references = await draw_references(tx, len(orders), settings.reference_check)
    first = await draw_numbers(tx, settings.company_number, today.year, len(orders))
    invoices, shares = [], []
    for offset, order in enumerate(orders):
        split = split_by_rate((line.amount_minor, line.vat_pct) for line in lines[order.order_id])
        person = persons.get(order.person_id)
        invoice = Invoice(
            invoice_id=new_id(),
            order_id=order.order_id,
            person_id=order.person_id,
            merged_id=order.merged_id,
            campaign_id=order.campaign_id,
            cell_id=order.cell_id,
            company=settings.company_number,
            year=today.year,
            series_number=first + offset,
            number=f"{today.year}-{first + offset:0{NUMBER_DIGITS}d}",
            reference=references[offset],
            language=orders_usecases.language_of(person),
            recipient=_recipient(order, person),
            net_minor=sum(share.net_minor for share in split),
            vat_minor=sum(share.vat_minor for share in split),
            total_minor=order.total_minor,
            currency=order.currency,
            issued_at=now,
            due_on=today + timedelta(days=settings.invoice_due_days),
        )
        invoices.append(invoice)
        shares += [
            InvoiceVat(
                invoice_id=invoice.invoice_id,
                vat_pct=share.vat_pct,
                net_minor=share.net_minor,
                vat_minor=share.vat_minor,
            )
            for share in split
        ]
    tx.add_all(invoices)
    await tx.flush()  # the VAT rows refer to the invoices
    tx.add_all(shares)
    await book(tx, [_invoice_booking(invoice) for invoice in invoices])
    tx.stage(events.invoices_issued(invoices))
    numbers = {order.order_id: order.number for order in orders}
    tx.stage(
        notices_requested(
            notice(
                "invoice_issued",
                invoice.person_id,
                {
                    "order_number": numbers[invoice.order_id],
                    **events.invoice_facts(invoice, settings.bank_account),
                },
            )
            for invoice in invoices
        )
    )
    free = [invoice.order_id for invoice in invoices if not invoice.total_minor]
    if free:
        await orders_usecases.mark_paid(tx, free)
    return invoices


async def draw_numbers(tx: Tx, company: str, year: int, count: int) -> int:
    """Draw consecutive invoice numbers and return the first; who draws next waits for our commit, so no gap stays."""
    statement = insert(InvoiceSeries).values(company=company, year=year, last_number=count)
    last: int = await tx.scalar(
        statement.on_conflict_do_update(
            index_elements=[col(InvoiceSeries.company), col(InvoiceSeries.year)],
            set_={"last_number": col(InvoiceSeries.last_number) + count},
        ).returning(col(InvoiceSeries.last_number))
    )
    return last - count + 1


async def draw_references(tx: Tx, count: int, check: str) -> list[str]:
    """Draw payment references that nobody had before; bases whose MOD11 digit would be `-` are passed over."""
    references: list[str] = []
    while len(references) < count:
        reference = kid(str(await tx.scalar(select(KID_BASES.next_value()))), check)
        if reference is not None:
            references.append(reference)
    return references


async def take_payment(tx: Tx, given: PaymentIn) -> Payment:
    """Book money that came in: on its invoice, what is too much as the customer's credit, or as unmatched.

    Raises:
        ExternalIdReused: the bank's id came before with other content.
    """
    reference = _plain(given.reference)
    payment_id: UUID | None = await tx.scalar(
        insert(Payment)
        .values(
            payment_id=new_id(),
            reference=reference,
            amount_minor=given.amount_minor,
            currency=given.currency,
            paid_on=given.paid_on,
            external_id=given.external_id,
            state=PaymentState.UNMATCHED.value,
            reason="",
            applied_minor=0,
            credit_minor=0,
            booked_at=tx.clock.now(),
        )
        .on_conflict_do_nothing(index_elements=[col(Payment.external_id)])
        .returning(col(Payment.payment_id))
    )
    if payment_id is None:
        return await _same_again(tx, given, reference)
    payment = await tx.get(Payment, payment_id)
    assert payment is not None  # noqa: S101 - inserted above, in this transaction
    invoice = await _lock_invoice(tx, reference)
    if invoice is None or invoice.currency != given.currency:
        payment.reason = "other_currency" if invoice else _why_unknown(reference)
        await book(tx, [_unmatched_booking(payment)])
        return payment
    await _settle(tx, payment, invoice, source=Account.BANK, kind="payment")
    return payment


async def match_payment(tx: Tx, payment_id: UUID, reference: str) -> Payment:
    """Book a payment that was held as unmatched on the invoice that it was meant for.

    Raises:
        PaymentNotFound: no payment has this id.
        AlreadyMatched: it is booked.
        InvoiceNotFound: no invoice has this reference.
        OtherCurrency: the invoice is in another currency.
    """
    payment: Payment | None = await tx.scalar(
        select(Payment).where(col(Payment.payment_id) == payment_id).with_for_update(key_share=True)
    )
    if payment is None:
        raise PaymentNotFound(f"No payment has the id {payment_id}")
    if payment.state == PaymentState.BOOKED:
        raise AlreadyMatched("It is booked on an invoice", invoice_id=str(payment.invoice_id))
    invoice = await _lock_invoice(tx, _plain(reference))
    if invoice is None:
        raise InvoiceNotFound(f"No invoice has the reference {reference}")
    if invoice.currency != payment.currency:
        raise OtherCurrency(
            f"The invoice is in {invoice.currency}, the payment in {payment.currency}"
        )
    await _settle(tx, payment, invoice, source=Account.UNMATCHED, kind="payment_matched")
    return payment


async def _settle(
    tx: Tx, payment: Payment, invoice: Invoice, *, source: Account, kind: str
) -> None:
    now = tx.clock.now()
    payment.applied_minor = invoice.settle(payment.amount_minor)
    payment.credit_minor = payment.amount_minor - payment.applied_minor
    payment.invoice_id = invoice.invoice_id
    payment.state, payment.reason = PaymentState.BOOKED.value, ""
    person_id = invoice.person_id
    await book(
        tx,
        [
            Booking(
                kind,
                payment.payment_id,
                payment.currency,
                (
                    Entry(source, payment.amount_minor),
                    Entry(
                        Account.RECEIVABLES, -payment.applied_minor, invoice.invoice_id, person_id
                    ),
                    Entry(Account.CUSTOMER_CREDIT, -payment.credit_minor, None, person_id),
                ),
            )
        ],
    )
    if payment.applied_minor:
        tx.stage(events.payment_booked(payment, invoice, now))
        if not invoice.open_minor:
            await orders_usecases.mark_paid(tx, [invoice.order_id])


async def _same_again(tx: Tx, given: PaymentIn, reference: str) -> Payment:
    held: Payment = (
        await tx.scalars(select(Payment).where(col(Payment.external_id) == given.external_id))
    ).one()
    same = (held.reference, held.amount_minor, held.currency, held.paid_on) == (
        reference,
        given.amount_minor,
        given.currency,
        given.paid_on,
    )
    if not same:
        raise ExternalIdReused(
            f"external_id {given.external_id} belongs to a payment of {held.amount_minor} "
            f"{held.currency} for {held.reference}; two payments need two ids",
            payment_id=str(held.payment_id),
        )
    return held


async def _lock_invoice(tx: Tx, reference: str) -> Invoice | None:
    found: Invoice | None = await tx.scalar(
        select(Invoice)
        .where(col(Invoice.reference) == reference)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found


def _invoice_booking(invoice: Invoice) -> Booking:
    return Booking(
        "invoice",
        invoice.invoice_id,
        invoice.currency,
        (
            Entry(Account.RECEIVABLES, invoice.total_minor, invoice.invoice_id, invoice.person_id),
            Entry(Account.REVENUE, -invoice.net_minor, invoice.invoice_id),
            Entry(Account.VAT, -invoice.vat_minor, invoice.invoice_id),
        ),
    )


def _unmatched_booking(payment: Payment) -> Booking:
    return Booking(
        "payment",
        payment.payment_id,
        payment.currency,
        (
            Entry(Account.BANK, payment.amount_minor),
            Entry(Account.UNMATCHED, -payment.amount_minor),
        ),
    )


def _why_unknown(reference: str) -> str:
    base, digit = reference[:-1], reference[-1:]
    if not (base.isascii() and base.isdigit() and digit in (luhn_digit(base), mod11_digit(base))):
        return "bad_check_digit"
    return "unknown_reference"


def _plain(reference: str) -> str:
    return reference.replace(" ", "").replace("-", "").upper()


def _recipient(order: SalesOrder, person: Person | None) -> str:
    address = address_of(order, person)
    place = f"{address['postal_code']} {address['city']}".strip()
    return "\n".join(line for line in (address["full_name"], address["street"], place) if line)
