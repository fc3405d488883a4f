"""What a debtor owes beside an invoice: fees, interest and compensation, each a claim of its own."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Uuid
from sqlmodel import Field

from orders_svc.base import Base
from orders_svc.billing.model import Account


class ClaimKind(StrEnum):
    """Why something is owed beside the invoice."""

    FEE = "fee"
    INTEREST = "interest"
    COMPENSATION = "compensation"
    INSTALMENT_FEE = "instalment_fee"


INCOME = {
    ClaimKind.FEE: Account.FEE_INCOME,
    ClaimKind.INTEREST: Account.INTEREST_INCOME,
    ClaimKind.COMPENSATION: Account.FEE_INCOME,
    ClaimKind.INSTALMENT_FEE: Account.FEE_INCOME,
}


class Claim(Base, table=True):
    """Something that is owed beside an invoice; what an agency or we ourselves gave up is waived."""

    __table_args__ = (
        CheckConstraint(
            "kind IN ('fee', 'interest', 'compensation', 'instalment_fee')", name="claim_kind"
        ),
        CheckConstraint(
            "paid_minor >= 0 AND waived_minor >= 0 AND paid_minor + waived_minor <= amount_minor",
            name="claim_paid",
        ),
        Index("claim_invoice", "invoice_id"),
    )

    claim_id: UUID = Field(primary_key=True)
    invoice_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),))
    kind: str
    rank: int
    """When it is paid: before the invoice below zero, after it above; the lower first."""
    amount_minor: int = Field(sa_type=BigInteger)
    paid_minor: int = Field(default=0, sa_type=BigInteger)
    waived_minor: int = Field(default=0, sa_type=BigInteger)
    currency: str
    claimed_on: date
    why: str = ""
    """The law and the rate from which it follows."""

    @property
    def open_minor(self) -> int:
        """What is still owed."""
        return self.amount_minor - self.paid_minor - self.waived_minor


class ClaimPayment(Base, table=True):
    """What of a payment went to a claim."""

    __tablename__ = "claim_payment"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="claim_payment_amount"),)

    payment_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("payment.payment_id"),)
    )
    claim_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("claim.claim_id"),)
    )
    amount_minor: int = Field(sa_type=BigInteger)
