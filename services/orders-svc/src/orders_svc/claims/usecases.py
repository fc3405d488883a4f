"""Claim fees and interest, and spread what is paid over claims and invoice in the order of the law."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import Uuid
from sqlmodel import col, select

from kantis_kit.db.sets import one_of
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.base import insert_all
from orders_svc.billing.ledger import Booking, Entry, book
from orders_svc.billing.model import Account, Invoice
from orders_svc.claims.model import INCOME, Claim, ClaimKind, ClaimPayment


@dataclass(frozen=True, slots=True)
class NewClaim:
    """What is claimed beside an invoice."""

    kind: ClaimKind
    amount_minor: int
    rank: int
    why: str


@dataclass(slots=True)
class Spread:
    """Where a payment went: to the invoice, to claims, and what is too much."""

    principal_minor: int = 0
    to_claims: dict[UUID, int] = field(default_factory=dict)

    @property
    def claims_minor(self) -> int:
        """All that went to claims."""
        return sum(self.to_claims.values())


async def claim(tx: Tx, invoice: Invoice, wanted: Iterable[NewClaim], *, on: date) -> list[Claim]:
    """Claim fees, interest or compensation beside an invoice; a claim of nothing is none."""
    claims = [
        Claim(
            claim_id=new_id(),
            invoice_id=invoice.invoice_id,
            kind=one.kind.value,
            rank=one.rank,
            amount_minor=one.amount_minor,
            currency=invoice.currency,
            claimed_on=on,
            why=one.why,
        )
        for one in wanted
        if one.amount_minor
    ]
    tx.add_all(claims)
    await book(
        tx, [_booking("claim", one.claim_id, one, invoice, one.amount_minor) for one in claims]
    )
    return claims


async def waive(tx: Tx, invoice: Invoice) -> int:
    """Give up what is open of an invoice's claims; return how much that was."""
    claims = (await open_claims(tx, [invoice.invoice_id])).get(invoice.invoice_id, [])
    waived = {one.claim_id: one.open_minor for one in claims}
    await book(
        tx,
        [
            _booking("claim_waived", one.claim_id, one, invoice, -waived[one.claim_id])
            for one in claims
        ],
    )
    for one in claims:
        one.waived_minor += waived[one.claim_id]
    return sum(waived.values())


async def open_claims(tx: Tx, invoice_ids: Iterable[UUID]) -> dict[UUID, list[Claim]]:
    """Return what is open beside invoices that this transaction has locked, in the order in which it is paid."""
    found: dict[UUID, list[Claim]] = {}
    rows = await tx.scalars(
        select(Claim)
        .where(
            col(Claim.invoice_id) == one_of(list(set(invoice_ids)), Uuid()),
            col(Claim.paid_minor) + col(Claim.waived_minor) < col(Claim.amount_minor),
        )
        .order_by(col(Claim.rank), col(Claim.claimed_on), col(Claim.claim_id))
        .execution_options(populate_existing=True)
    )
    for one in rows:
        found.setdefault(one.invoice_id, []).append(one)
    return found


def spread(invoice: Invoice, claims: Sequence[Claim], amount_minor: int) -> Spread:
    """Pay an invoice and what is owed beside it, in the order of the law, as far as the money goes."""
    result, left = Spread(), amount_minor
    for one in [one for one in claims if one.rank < 0]:
        left -= _pay(one, left, result)
    result.principal_minor = invoice.settle(left)
    left -= result.principal_minor
    for one in [one for one in claims if one.rank >= 0]:
        left -= _pay(one, left, result)
    return result


async def keep_spreads(tx: Tx, spreads: Mapping[UUID, Spread]) -> None:
    """Keep what of payments went to which claims."""
    rows = [
        {"payment_id": payment_id, "claim_id": claim_id, "amount_minor": amount}
        for payment_id, one in spreads.items()
        for claim_id, amount in one.to_claims.items()
    ]
    if rows:
        await tx.flush()  # the rows refer to the payments
        await tx.execute(insert_all(ClaimPayment, rows))


async def unpay(tx: Tx, payment_id: UUID) -> int:
    """Let claims be open again that a payment had paid; return how much that is."""
    rows = await tx.execute(
        select(Claim, col(ClaimPayment.amount_minor))
        .join(ClaimPayment, col(ClaimPayment.claim_id) == col(Claim.claim_id))
        .where(col(ClaimPayment.payment_id) == payment_id)
        .with_for_update(of=Claim)
        .execution_options(populate_existing=True)
    )
    back = 0
    for row in rows:
        row.Claim.paid_minor -= row.amount_minor
        back += int(row.amount_minor)
    return back


def _pay(one: Claim, left: int, result: Spread) -> int:
    part = min(left, one.open_minor)
    if part > 0:
        one.paid_minor += part
        result.to_claims[one.claim_id] = part
    return max(part, 0)


def _booking(kind: str, subject_id: UUID, one: Claim, invoice: Invoice, amount: int) -> Booking:
    return Booking(
        kind,
        subject_id,
        one.currency,
        (
            Entry(Account.CLAIMS, amount, invoice.invoice_id, invoice.person_id),
            Entry(INCOME[ClaimKind(one.kind)], -amount, invoice.invoice_id),
        ),
    )
