"""On which terms a customer buys: as a consumer or a business, and up to what they may owe."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Uuid
from sqlmodel import Field

from orders_svc.base import Base, Moment
from orders_svc.law.tables import Debtor


class CustomerTerms(Base, table=True):
    """What was agreed with a customer; who has none is a consumer with the limit of the installation."""

    __tablename__ = "customer_terms"
    __table_args__ = (
        CheckConstraint("debtor IN ('consumer', 'business')", name="customer_terms_debtor"),
        CheckConstraint("credit_limit_minor >= 0", name="customer_terms_limit"),
    )

    person_id: UUID = Field(primary_key=True)
    debtor: str = Debtor.CONSUMER.value
    credit_limit_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = "NOK"
    version: int = 1
    set_by: str
    set_at: datetime = Field(sa_type=Moment)


class CreditHold(Base, table=True):
    """An order that is above its customer's limit; it is picked once somebody has released it."""

    __tablename__ = "credit_hold"
    __table_args__ = (
        Index("credit_hold_open", "order_id", postgresql_where="released_at IS NULL"),
    )

    order_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),)
    )
    person_id: UUID
    limit_minor: int = Field(sa_type=BigInteger)
    owed_minor: int = Field(sa_type=BigInteger)
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    held_at: datetime = Field(sa_type=Moment)
    released_at: datetime | None = Field(default=None, sa_type=Moment)
    released_by: str = ""
    reason: str = ""
