"""Invoices that are paid in parts: the plan, and each part with its day."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Uuid
from sqlmodel import Field

from orders_svc.base import Base, Moment


class InstalmentPlan(Base, table=True):
    """A plan for what is open of an invoice; one at a time."""

    __tablename__ = "instalment_plan"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'ended')", name="instalment_plan_state"),
        Index(
            "instalment_plan_one", "invoice_id", unique=True, postgresql_where="state = 'active'"
        ),
    )

    plan_id: UUID = Field(primary_key=True)
    invoice_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),))
    state: str = "active"
    open_before_minor: int = Field(sa_type=BigInteger)
    """What was open when the plan was made; what was paid since covers its parts, the first one first."""
    made_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class Instalment(Base, table=True):
    """A part of a plan."""

    __table_args__ = (CheckConstraint("amount_minor > 0", name="instalment_amount"),)

    plan_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("instalment_plan.plan_id"),)
    )
    number: int = Field(primary_key=True)
    due_on: date
    amount_minor: int = Field(sa_type=BigInteger)
