"""Book what is paid, match what was held, give back what nobody owed, and take back what did not come."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

from babel.numbers import get_currency_precision
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.billing.errors import InvoiceNotFound
from orders_svc.billing.ledger import Booking, Entry, book
from orders_svc.billing.model import Account, Invoice
from orders_svc.payments import matching, settling
from orders_svc.payments.errors import (
    AlreadyMatched,
    ExternalIdReused,
    NotReversible,
    OtherCurrency,
    PaymentNotFound,
)
from orders_svc.payments.model import Arrival, ExchangeRate, MatchedBy, Payment, PaymentState
from orders_svc.payments.schemas import PaymentIn
from orders_svc.people.errors import PersonUnknown
from orders_svc.people.queries import find_person


async def take_payment(tx: Tx, given: PaymentIn) -> Payment:
    """Book money that came in: on its invoice, what is too much as the customer's credit, or as unmatched.

    Raises:
        ExternalIdReused: the bank's id came before with other content.
    """
    reference = matching.plain(given.reference)
    payment_id: UUID | None = await tx.scalar(
        insert(Payment)
        .values(
            payment_id=new_id(),
            reference=reference,
            amount_minor=given.amount_minor,
            currency=given.currency,
            paid_on=given.paid_on,
            external_id=given.external_id,
            payer_name=given.payer_name,
            remittance="",
            payer_account="",
            account="",
            matched_by="",
            state=PaymentState.UNMATCHED.value,
            reason="",
            applied_minor=0,
            principal_minor=0,
            credit_minor=0,
            is_reversal=False,
            booked_at=tx.clock.now(),
        )
        .on_conflict_do_nothing(index_elements=[col(Payment.external_id)])
        .returning(col(Payment.payment_id))
    )
    if payment_id is None:
        return await _same_again(tx, given, reference)
    payment = await tx.get(Payment, payment_id)
    assert payment is not None  # noqa: S101 - inserted above, in this transaction
    await book_fresh(tx, [payment])
    return payment


async def book_fresh(tx: Tx, payments: Sequence[Payment | Arrival]) -> None:
    """Book money that has just come in, or hold it with the reason."""
    found = await matching.find_all(tx, payments)
    settled: list[settling.Settled] = []
    held: list[Booking] = []
    waiting: list[Payment | Arrival] = []
    for place, payment in enumerate(payments):
        match = found.get(place)
        if match is not None and match.invoice.currency == payment.currency:
            settled.append(settling.Settled(payment, match.invoice, match.by))
            continue
        payment.reason = "other_currency" if match else matching.why_unknown(payment.reference)
        held.append(settling.hold_booking(payment))
        waiting.append(payment)
    await settling.keep(tx, [one for one in waiting if isinstance(one, Arrival)])
    if settled:
        await settling.settle(tx, settled, source=Account.BANK, kind="payment")
    await book(tx, held)


async def match_payment(
    tx: Tx, payment_id: UUID, reference: str, rate: Decimal | None = None
) -> Payment:
    """Book a payment that was held as unmatched on the invoice that it was meant for.

    Raises:
        PaymentNotFound: no payment has this id.
        AlreadyMatched: it is booked.
        InvoiceNotFound: no invoice has this reference.
        OtherCurrency: the invoice is in another currency, and no rate is known.
    """
    payment = await _lock_held(tx, payment_id)
    if payment.is_reversal:
        raise NotReversible(
            f"The bank took this money back; say which payment it was: POST /v1/payments/{payment_id}/original"
        )
    invoices = await matching.lock_invoices(tx, [matching.plain(reference)])
    if not invoices:
        raise InvoiceNotFound(f"No invoice has the reference {reference}")
    invoice = next(iter(invoices.values()))
    if invoice.currency != payment.currency:
        used = rate or await _rate_of(tx, payment, invoice)
        payment.rate = used
        payment.converted_minor = converted(
            payment.amount_minor, payment.currency, invoice.currency, used
        )
    settled = settling.Settled(payment, invoice, MatchedBy.HAND)
    await settling.settle(tx, [settled], source=Account.UNMATCHED, kind="payment_matched")
    return payment


async def refund(tx: Tx, payment_id: UUID, reason: str) -> Payment:
    """Give back money that was held: it is owed to who paid it. Raises `PaymentNotFound`, `AlreadyMatched`."""
    payment = await _lock_held(tx, payment_id)
    await _move_held(tx, payment, "payment_refunded", Account.REFUNDS, None)
    payment.state, payment.reason = PaymentState.REFUNDED.value, reason
    tx.audit("payment.refund", str(payment_id), reason=reason, amount_minor=payment.amount_minor)
    return payment


async def leave_as_credit(tx: Tx, payment_id: UUID, person_id: UUID) -> Payment:
    """Leave money that was held as a customer's credit.

    Raises:
        PaymentNotFound: no payment has this id.
        AlreadyMatched: it is booked.
        PersonUnknown: nobody has this id.
    """
    payment = await _lock_held(tx, payment_id)
    if await find_person(tx, person_id) is None:
        raise PersonUnknown(f"There is no card of the person {person_id} here")
    await _move_held(tx, payment, "payment_credited", Account.CUSTOMER_CREDIT, person_id)
    payment.state, payment.reason = PaymentState.CREDITED.value, ""
    payment.person_id, payment.credit_minor = person_id, payment.amount_minor
    return payment


async def reverse_payment(tx: Tx, payment_id: UUID, reason: str) -> Payment:
    """Take back a payment that did not come after all; the invoice is open again.

    Raises:
        PaymentNotFound: no payment has this id.
        NotReversible: it was taken back or given back already.
    """
    payment = await _lock(tx, payment_id)
    _check_reversible(payment)
    reversal = Payment(
        payment_id=new_id(),
        reference=payment.reference,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        paid_on=payment.paid_on,
        is_reversal=True,
        booked_at=tx.clock.now(),
    )
    tx.add(reversal)
    await tx.flush()  # what follows refers to it
    await settling.reverse(tx, payment, reversal)
    reversal.reason = reason
    tx.audit("payment.reverse", str(payment_id), reason=reason)
    return reversal


async def name_original(tx: Tx, reversal_id: UUID, payment_id: UUID) -> Payment:
    """Say which payment the bank took back by a reversal that was held.

    Raises:
        PaymentNotFound: one of them is not there.
        NotReversible: the reversal is booked, or the payment cannot be taken back by it.
    """
    first, second = sorted(
        (reversal_id, payment_id)
    )  # two that do this cross never wait in a circle
    locked = {one: await _lock(tx, one) for one in (first, second)}
    reversal, payment = locked[reversal_id], locked[payment_id]
    if not reversal.is_reversal or reversal.state != PaymentState.UNMATCHED:
        raise NotReversible(f"{reversal_id} is not a reversal that waits for its payment")
    _check_reversible(payment)
    if (payment.amount_minor, payment.currency) != (reversal.amount_minor, reversal.currency):
        raise NotReversible(
            f"The bank took back {reversal.amount_minor} {reversal.currency}; this payment is of "
            f"{payment.amount_minor} {payment.currency}"
        )
    await settling.reverse(tx, payment, reversal, source=Account.UNMATCHED)
    return reversal


async def set_rate(tx: Tx, base: str, quote: str, valid_from: date, rate: Decimal) -> ExchangeRate:
    """Keep an exchange rate that holds from a day on."""
    kept = ExchangeRate(base=base, quote=quote, valid_from=valid_from, rate=rate)
    await tx.execute(
        insert(ExchangeRate)
        .values(kept.model_dump())
        .on_conflict_do_update(index_elements=["base", "quote", "valid_from"], set_={"rate": rate})
    )
    return kept


def converted(amount_minor: int, base: str, quote: str, rate: Decimal) -> int:
    """Return an amount in another currency, rounded half to even to its minor unit."""
    places = get_currency_precision(quote) - get_currency_precision(base)
    value = (Decimal(amount_minor) * rate).scaleb(places)
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _check_reversible(payment: Payment) -> None:
    if payment.is_reversal:
        raise NotReversible("It is itself money that the bank took back")
    if payment.state in (PaymentState.REVERSED, PaymentState.REFUNDED):
        raise NotReversible(f"It is {payment.state} already")


async def _rate_of(tx: Tx, payment: Payment, invoice: Invoice) -> Decimal:
    rate: Decimal | None = await tx.scalar(
        select(col(ExchangeRate.rate))
        .where(
            col(ExchangeRate.base) == payment.currency,
            col(ExchangeRate.quote) == invoice.currency,
            col(ExchangeRate.valid_from) <= payment.paid_on,
        )
        .order_by(col(ExchangeRate.valid_from).desc())
        .limit(1)
    )
    if rate is None:
        raise OtherCurrency(
            f"The invoice is in {invoice.currency}, the payment in {payment.currency}, and the table has no rate for "
            f"{payment.paid_on}; send `rate`, or keep one: PUT /v1/payments/exchange-rates/{payment.currency}/"
            f"{invoice.currency}/{payment.paid_on}"
        )
    return rate


async def _move_held(
    tx: Tx, payment: Payment, kind: str, to: Account, person_id: UUID | None
) -> None:
    if payment.is_reversal:
        raise NotReversible("The bank took this money back; there is nothing to give away")
    entries = (
        Entry(Account.UNMATCHED, payment.amount_minor),
        Entry(to, -payment.amount_minor, None, person_id),
    )
    await book(tx, [Booking(kind, payment.payment_id, payment.currency, entries)])


async def _lock(tx: Tx, payment_id: UUID) -> Payment:
    payment: Payment | None = await tx.scalar(
        select(Payment)
        .where(col(Payment.payment_id) == payment_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if payment is None:
        raise PaymentNotFound(f"No payment has the id {payment_id}")
    return payment


async def _lock_held(tx: Tx, payment_id: UUID) -> Payment:
    payment = await _lock(tx, payment_id)
    if payment.state != PaymentState.UNMATCHED:
        raise AlreadyMatched(
            f"It is {payment.state}, no longer held", invoice_id=str(payment.invoice_id)
        )
    return payment


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
