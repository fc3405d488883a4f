"""Invoices, payments and the ledger."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Sequence,
    UniqueConstraint,
    Uuid,
)
from sqlmodel import Field

from orders_svc.base import Base, Moment

KID_BASES = Sequence("kid_base", start=100_000_001, metadata=Base.metadata)
"""Bases of payment references: nine digits, so that every KID has the one length that was agreed."""


class Account(StrEnum):
    """Accounts of the ledger; `unmatched` is money that we hold for we do not know whom yet."""

    RECEIVABLES = "receivables"
    REVENUE = "revenue"
    VAT = "vat"
    BANK = "bank"
    CUSTOMER_CREDIT = "customer_credit"
    UNMATCHED = "unmatched"


class PaymentState(StrEnum):
    """What was done with a payment."""

    BOOKED = "booked"
    UNMATCHED = "unmatched"


class InvoiceSeries(Base, table=True):
    """The last number of a company's invoices in a year; its row lock makes the series gapless."""

    __tablename__ = "invoice_series"

    company: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    last_number: int


class Invoice(Base, table=True):
    """What a customer owes for an order; the recipient as it was when the invoice was issued."""

    __table_args__ = (
        UniqueConstraint("company", "year", "series_number", name="invoice_number"),
        CheckConstraint("net_minor + vat_minor = total_minor", name="invoice_sum"),
        CheckConstraint("paid_minor >= 0 AND paid_minor <= total_minor", name="invoice_paid"),
        CheckConstraint("net_minor >= 0 AND vat_minor >= 0", name="invoice_positive"),
        Index("invoice_person", "person_id"),
        Index("invoice_merged", "merged_id", postgresql_where="merged_id IS NOT NULL"),
    )

    invoice_id: UUID = Field(primary_key=True)
    order_id: UUID = Field(
        unique=True, sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),)
    )
    person_id: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    company: str
    year: int
    series_number: int
    number: str = Field(unique=True)
    reference: str = Field(unique=True)
    language: str
    recipient: str
    net_minor: int = Field(sa_type=BigInteger)
    vat_minor: int = Field(sa_type=BigInteger)
    total_minor: int = Field(sa_type=BigInteger)
    paid_minor: int = Field(default=0, sa_type=BigInteger)
    currency: str
    issued_at: datetime = Field(sa_type=Moment)
    due_on: date
    merged_id: UUID | None = None
    """The id under which it came, while a merge has it stand with another."""

    @property
    def open_minor(self) -> int:
        """What is still owed."""
        return self.total_minor - self.paid_minor

    def settle(self, amount_minor: int) -> int:
        """Take money in and return how much of it the invoice needed."""
        applied = min(amount_minor, self.open_minor)
        self.paid_minor += applied
        return applied


class InvoiceVat(Base, table=True):
    """The part of an invoice at one rate."""

    __tablename__ = "invoice_vat"

    invoice_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),)
    )
    vat_pct: int = Field(primary_key=True)
    net_minor: int = Field(sa_type=BigInteger)
    vat_minor: int = Field(sa_type=BigInteger)


class Payment(Base, table=True):
    """Money that came in."""

    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="payment_amount"),
        CheckConstraint("state IN ('booked', 'unmatched')", name="payment_state"),
        CheckConstraint("(state = 'booked') = (invoice_id IS NOT NULL)", name="payment_matched"),
        CheckConstraint(
            "state = 'unmatched' OR applied_minor + credit_minor = amount_minor",
            name="payment_split",
        ),
        Index("payment_waiting", "payment_id", postgresql_where="state = 'unmatched'"),
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


class LedgerTransaction(Base, table=True):
    """A business fact in the ledger; a second booking of the same fact cannot be stored."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (UniqueConstraint("kind", "subject_id", name="ledger_transaction_once"),)

    transaction_id: UUID = Field(primary_key=True)
    kind: str
    subject_id: UUID
    booked_at: datetime = Field(sa_type=Moment)


class Posting(Base, table=True):
    """One side of a transaction: debit is positive, credit negative."""

    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="posting_amount"),
        CheckConstraint(
            "account IN ('receivables', 'revenue', 'vat', 'bank', 'customer_credit', 'unmatched')",
            name="posting_account",
        ),
        Index("posting_invoice", "invoice_id"),
    )

    transaction_id: UUID = Field(
        primary_key=True,
        sa_type=Uuid,
        sa_column_args=(ForeignKey("ledger_transaction.transaction_id"),),
    )
    line_no: int = Field(primary_key=True)
    account: str
    currency: str
    amount_minor: int = Field(sa_type=BigInteger)
    invoice_id: UUID | None = None
    person_id: UUID | None = None
