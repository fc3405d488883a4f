"""Double entry: what is booked is never changed, and every transaction sums to nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from kantis_kit.errors import KantisError
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.billing.model import Account, LedgerTransaction, Posting


class Unbalanced(KantisError):
    """A fault of ours: a transaction whose debit and credit differ."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a transaction; a side of nothing is left out."""

    account: Account
    amount_minor: int
    invoice_id: UUID | None = None
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """A business fact and its sides, in one currency."""

    kind: str
    subject_id: UUID
    currency: str
    entries: tuple[Entry, ...]


async def book(tx: Tx, bookings: Sequence[Booking]) -> None:
    """Book facts, each once: a fact that is booked already breaks the transaction.

    Raises:
        Unbalanced: debit and credit of a booking differ.
    """
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
                "booked_at": tx.clock.now(),
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
            }
            for line_no, entry in enumerate(sides, 1)
        ]
    if heads:
        await tx.execute(insert(LedgerTransaction), heads)
        await tx.execute(insert(Posting), rows)
