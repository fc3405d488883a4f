"""Invoices and the ledger."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Sequence,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, col

from orders_svc.base import Base, Moment, Pct, table_of
from orders_svc.billing.schemas import InvoiceKind

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
    CLAIMS = "claims"
    """What debtors owe beside their invoices: fees, interest, compensation."""
    FEE_INCOME = "fee_income"
    INTEREST_INCOME = "interest_income"
    EXCHANGE = "exchange"
    """Between two currencies: what was paid in one and owed in the other."""
    REFUNDS = "refunds"
    """What is to be paid back."""
    AGENCY = "agency"
    """What a collection agency has collected and not handed on yet."""
    AGENCY_COSTS = "agency_costs"


class InvoiceSeries(Base, table=True):
    """The last numbers of a company in a year, per kind of document; the row's lock makes the series gapless."""

    __tablename__ = "invoice_series"

    company: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    last_number: int = 0
    last_credit_number: int = 0


class Invoice(Base, table=True):
    """What a customer owes for goods, or is credited of it; seller and buyer as they were when it was issued.

    The database refuses every change but of what is paid and credited, of whose it is, and of whom it names: that may
    be forgotten.
    """

    __table_args__ = (
        UniqueConstraint("company", "year", "kind", "series_number", name="invoice_number"),
        CheckConstraint("kind IN ('invoice', 'credit_note')", name="invoice_kind"),
        CheckConstraint(
            "(kind = 'credit_note') = (credits_id IS NOT NULL)", name="invoice_credits"
        ),
        CheckConstraint("(kind = 'invoice') = (reference IS NOT NULL)", name="invoice_reference"),
        CheckConstraint("net_minor + vat_minor = total_minor", name="invoice_sum"),
        CheckConstraint(
            "paid_minor >= 0 AND credited_minor >= 0"
            " AND paid_minor + credited_minor <= total_minor",
            name="invoice_paid",
        ),
        CheckConstraint("net_minor >= 0 AND vat_minor >= 0", name="invoice_positive"),
        Index("invoice_order", "order_id"),
        Index("invoice_person", "person_id"),
        Index("invoice_merged", "merged_id", postgresql_where="merged_id IS NOT NULL"),
        Index("invoice_credited", "credits_id", postgresql_where="credits_id IS NOT NULL"),
    )

    invoice_id: UUID = Field(primary_key=True)
    order_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),))
    person_id: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    kind: str = InvoiceKind.INVOICE.value
    credits_id: UUID | None = Field(
        default=None, sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),)
    )
    credit_reason: str = ""
    company: str
    year: int
    series_number: int
    number: str = Field(unique=True)
    reference: str | None = Field(default=None, unique=True)
    """What the payer writes; a credit note asks for nothing and has none."""
    reference_kind: str
    language: str
    recipient: str
    seller: dict[str, Any] = Field(sa_type=JSONB)
    buyer: dict[str, Any] = Field(sa_type=JSONB)
    net_minor: int = Field(sa_type=BigInteger)
    vat_minor: int = Field(sa_type=BigInteger)
    total_minor: int = Field(sa_type=BigInteger)
    paid_minor: int = Field(default=0, sa_type=BigInteger)
    credited_minor: int = Field(default=0, sa_type=BigInteger)
    """What credit notes took off what was owed; what they gave of money paid already is the customer's credit."""
    currency: str
    issued_at: datetime = Field(sa_type=Moment)
    due_on: date
    merged_id: UUID | None = None
    """The id under which it came, while a merge has it stand with another."""

    @property
    def open_minor(self) -> int:
        """What is still owed; of a credit note nothing."""
        if self.kind == InvoiceKind.CREDIT_NOTE:
            return 0
        return self.total_minor - self.paid_minor - self.credited_minor

    def settle(self, amount_minor: int) -> int:
        """Take money in and return how much of it the invoice needed."""
        applied = min(amount_minor, self.open_minor)
        self.paid_minor += applied
        return applied

    def credit(self, amount_minor: int) -> int:
        """Owe less and return how much less; the rest of a credit was paid already."""
        applied = min(amount_minor, self.open_minor)
        self.credited_minor += applied
        return applied


def is_owed() -> ColumnElement[bool]:
    """Return the condition that something of an invoice is open."""
    settled = col(Invoice.paid_minor) + col(Invoice.credited_minor)
    return (col(Invoice.kind) == InvoiceKind.INVOICE.value) & (settled < col(Invoice.total_minor))


def open_amount() -> ColumnElement[int]:
    """Return what is open of an invoice, for statements."""
    return col(Invoice.total_minor) - (col(Invoice.paid_minor) + col(Invoice.credited_minor))


_invoice = table_of(Invoice)
Index(
    "invoice_open",
    _invoice.c.currency,
    _invoice.c.total_minor - (_invoice.c.paid_minor + _invoice.c.credited_minor),
    postgresql_where="paid_minor + credited_minor < total_minor",
)


class InvoiceLine(Base, table=True):
    """Goods on an invoice or credit note at the price that was agreed, VAT included.

    The number is that of the order's line; what is credited without goods has numbers of its own.
    """

    __tablename__ = "invoice_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="invoice_line_quantity"),
        CheckConstraint(
            "amount_minor = quantity * unit_price_minor AND unit_price_minor >= 0",
            name="invoice_line_amount",
        ),
    )

    invoice_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),)
    )
    line_no: int = Field(primary_key=True)
    credits_line: int | None = None
    """The line of the invoice that it takes back, of a credit note for goods."""
    sku: str
    name: str
    quantity: int
    unit_price_minor: int = Field(sa_type=BigInteger)
    vat_pct: Decimal = Field(sa_type=Pct)
    amount_minor: int = Field(sa_type=BigInteger)


class InvoiceVat(Base, table=True):
    """The part of an invoice at one rate."""

    __tablename__ = "invoice_vat"

    invoice_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),)
    )
    vat_pct: Decimal = Field(primary_key=True, sa_type=Pct)
    net_minor: int = Field(sa_type=BigInteger)
    vat_minor: int = Field(sa_type=BigInteger)


class LedgerTransaction(Base, table=True):
    """A business fact in the ledger; a second booking of the same fact cannot be stored."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (UniqueConstraint("kind", "subject_id", name="ledger_transaction_once"),)

    transaction_id: UUID = Field(primary_key=True)
    kind: str
    subject_id: UUID
    booked_at: datetime = Field(sa_type=Moment)
    booked_on: date = Field(index=True)
    """The day to which it belongs; never one of a locked period."""
    label: str = ""


class LedgerLock(Base, table=True):
    """A day up to which nothing is booked any more, the day itself included; the latest of them holds."""

    __tablename__ = "ledger_lock"

    locked_until: date = Field(primary_key=True)
    locked_at: datetime = Field(sa_type=Moment)
    actor: str
    reason: str


class Posting(Base, table=True):
    """One side of a transaction: debit is positive, credit negative."""

    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="posting_amount"),
        CheckConstraint(
            f"account IN ({', '.join(repr(one.value) for one in Account)})",
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
    vat_pct: Decimal | None = Field(default=None, sa_type=Pct)
