"""Money that came in, what was done with it, and the files that told of it."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from orders_svc.base import Base, Moment


class PaymentState(StrEnum):
    """What was done with a payment; `unmatched` waits for a person."""

    BOOKED = "booked"
    UNMATCHED = "unmatched"
    REFUNDED = "refunded"
    CREDITED = "credited"
    REVERSED = "reversed"


class MatchedBy(StrEnum):
    """How the invoice of a payment was found."""

    REFERENCE = "reference"
    TEXT = "text"
    """The reference or the invoice's number stood in what the payer wrote."""
    PAYER = "payer"
    """One open invoice of this amount is made out to who paid."""
    HAND = "hand"
    ORIGINAL = "original"
    """The payment that the bank took back."""
    AGENCY = "agency"


class Payment(Base, table=True):
    """Money that came in, or that the bank took back.

    `applied_minor` went to the invoice and to what is owed beside it, `principal_minor` of it to the invoice itself;
    both are in the invoice's currency.
    """

    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="payment_amount"),
        CheckConstraint(
            "state IN ('booked', 'unmatched', 'refunded', 'credited', 'reversed')",
            name="payment_state",
        ),
        CheckConstraint(
            "state <> 'booked' OR is_reversal OR invoice_id IS NOT NULL", name="payment_matched"
        ),
        CheckConstraint(
            "state <> 'booked' OR is_reversal"
            " OR applied_minor + credit_minor = coalesce(converted_minor, amount_minor)",
            name="payment_split",
        ),
        CheckConstraint("principal_minor BETWEEN 0 AND applied_minor", name="payment_principal"),
        Index("payment_waiting", "payment_id", postgresql_where="state = 'unmatched'"),
        Index("payment_file_id", "file_id", postgresql_where="file_id IS NOT NULL"),
        Index("payment_reference", "reference", "amount_minor", postgresql_where="NOT is_reversal"),
        Index("payment_person", "person_id", postgresql_where="person_id IS NOT NULL"),
    )

    payment_id: UUID = Field(primary_key=True)
    reference: str
    invoice_id: UUID | None = Field(
        default=None, index=True, sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),)
    )
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    paid_on: date
    external_id: str | None = Field(default=None, unique=True)
    state: str = PaymentState.UNMATCHED.value
    reason: str = ""
    applied_minor: int = Field(default=0, sa_type=BigInteger)
    credit_minor: int = Field(default=0, sa_type=BigInteger)
    booked_at: datetime = Field(sa_type=Moment)
    file_id: UUID | None = Field(
        default=None, sa_type=Uuid, sa_column_args=(ForeignKey("payment_file.file_id"),)
    )
    account: str = ""
    remittance: str = ""
    payer_name: str = ""
    payer_account: str = ""
    person_id: UUID | None = None
    """Whose credit it is, when it was left as that."""
    matched_by: str = ""
    principal_minor: int = Field(default=0, sa_type=BigInteger)
    converted_minor: int | None = Field(default=None, sa_type=BigInteger)
    """What it is worth in the invoice's currency, when it was paid in another."""
    rate: Decimal | None = Field(default=None, sa_type=Numeric(20, 10))
    is_reversal: bool = False
    reverses_id: UUID | None = Field(
        default=None,
        unique=True,
        sa_type=Uuid,
        sa_column_args=(ForeignKey("payment.payment_id"),),
    )

    @property
    def worth_minor(self) -> int:
        """What there is for the invoice, in its currency."""
        return self.amount_minor if self.converted_minor is None else self.converted_minor


@dataclass(slots=True)
class Arrival:
    """Money that a file tells of, until it is written down as a payment, once, with what became of it.

    A thousand of them are one statement; a thousand objects of the session are most of the work.
    """

    payment_id: UUID
    reference: str
    amount_minor: int
    currency: str
    paid_on: date
    external_id: str | None
    booked_at: datetime
    file_id: UUID | None = None
    account: str = ""
    remittance: str = ""
    payer_name: str = ""
    payer_account: str = ""
    is_reversal: bool = False
    invoice_id: UUID | None = None
    state: str = PaymentState.UNMATCHED.value
    reason: str = ""
    applied_minor: int = 0
    credit_minor: int = 0
    principal_minor: int = 0
    matched_by: str = ""
    reverses_id: UUID | None = None

    @property
    def worth_minor(self) -> int:
        """What there is for the invoice; money in another currency waits for a person."""
        return self.amount_minor


class FileState(StrEnum):
    """How far a file of the bank's is; nothing of it is booked before all of it is read and sums up."""

    READING = "reading"
    BOOKING = "booking"
    DONE = "done"
    REFUSED = "refused"


class PaymentFile(Base, table=True):
    """A file of the bank's, taken once; what its entries became is counted."""

    __tablename__ = "payment_file"
    __table_args__ = (
        CheckConstraint(
            "state IN ('reading', 'booking', 'done', 'refused')", name="payment_file_state"
        ),
        CheckConstraint(
            "(state IN ('done', 'refused')) = (done_at IS NOT NULL)", name="payment_file_done"
        ),
    )

    file_id: UUID = Field(primary_key=True)
    sha256: str = Field(unique=True)
    kind: str
    message_id: str
    state: str = FileState.READING.value
    problem: str = ""
    """Why it is refused."""
    file_bytes: int = Field(default=0, sa_type=BigInteger)
    read_bytes: int = Field(default=0, sa_type=BigInteger)
    checkpoint: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """Where its reader stands while it is read in portions: behind an entry."""
    entries: int = 0
    booked: int = 0
    held: int = 0
    reversed: int = 0
    duplicates: int = 0
    skipped: int = 0
    """Entries that tell of no money for us: announced, or paid by us."""
    total_minor: int = Field(default=0, sa_type=BigInteger)
    received_at: datetime = Field(sa_type=Moment)
    done_at: datetime | None = Field(default=None, sa_type=Moment)

    @property
    def taken(self) -> int:
        """How many of its entries have become something; they are taken in the sequence of their numbers."""
        return self.booked + self.held + self.reversed + self.duplicates

    def end(self, state: FileState, *, at: datetime) -> None:
        """Note that nothing more becomes of it."""
        self.state, self.done_at = state.value, at

    def refuse(self, problem: str, *, at: datetime) -> None:
        """Note why nothing of it is booked."""
        self.problem, self.checkpoint = problem, None
        self.entries = self.skipped = self.total_minor = 0
        self.end(FileState.REFUSED, at=at)


class PaymentEntry(Base, table=True):
    """An entry of a file that is not booked yet; gone in the transaction that books it."""

    __tablename__ = "payment_entry"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="payment_entry_amount"),)

    file_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("payment_file.file_id"),)
    )
    entry_no: int = Field(primary_key=True)
    external_id: str
    account: str
    reference: str
    remittance: str
    payer_name: str
    payer_account: str
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    paid_on: date
    is_reversal: bool


class ExchangeRate(Base, table=True):
    """What one unit of a currency is worth in another, from a day on."""

    __tablename__ = "exchange_rate"
    __table_args__ = (CheckConstraint("rate > 0", name="exchange_rate_positive"),)

    base: str = Field(primary_key=True)
    quote: str = Field(primary_key=True)
    valid_from: date = Field(primary_key=True)
    rate: Decimal = Field(sa_type=Numeric(20, 10))
