"""How unpaid invoices are followed up: where each stands, and every step that led there."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kantis_contracts.orders import DunningState
from orders_svc.base import Base, Moment
from orders_svc.dunning.schemas import Step

HOLDS = (DunningState.PAUSED, DunningState.DISPUTED)
CLAIMS = {
    Step.REMIND: DunningState.REMINDED,
    Step.WARN: DunningState.WARNED,
    Step.HAND_OVER: DunningState.WITH_AGENCY,
}
"""Steps by which money is asked for; each needs an invoice that is due and not paid."""


class DunningCase(Base, table=True):
    """Where the dunning of an invoice stands."""

    __tablename__ = "dunning_case"
    __table_args__ = (
        CheckConstraint("reminders >= 0", name="dunning_reminders"),
        Index("dunning_state", "state", "invoice_id"),
    )

    invoice_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),)
    )
    version: int = 0
    state: str = DunningState.NONE.value
    before: str = DunningState.NONE.value
    """The state to which the case goes back when it is resumed or taken back."""
    reminders: int = 0
    resume_on: date | None = None
    """Until when a pause lasts, where that was said."""
    changed_at: datetime = Field(sa_type=Moment)


class DunningStep(Base, table=True):
    """A step that was taken; never changed."""

    __tablename__ = "dunning_step"

    invoice_id: UUID = Field(
        primary_key=True,
        sa_type=Uuid,
        sa_column_args=(ForeignKey("dunning_case.invoice_id"),),
    )
    version: int = Field(primary_key=True)
    step: str
    taken_on: date
    pay_by: date | None = None
    """The deadline that the message gave."""
    fee_minor: int = Field(default=0, sa_type=BigInteger)
    interest_minor: int = Field(default=0, sa_type=BigInteger)
    why: str = ""
    """The law by which the clock took it, or what a person wrote to it."""
    actor: str
    entered_at: datetime = Field(sa_type=Moment)


class AgencyFile(Base, table=True):
    """A file that went to the collection agency, or came from it."""

    __tablename__ = "agency_file"
    __table_args__ = (CheckConstraint("way IN ('out', 'in')", name="agency_file_way"),)

    file_id: UUID = Field(primary_key=True)
    sha256: str | None = Field(default=None, unique=True)
    way: str
    lines: int
    made_at: datetime = Field(sa_type=Moment)


class AgencyLine(Base, table=True):
    """A line of such a file; what it tells is told once."""

    __tablename__ = "agency_line"
    __table_args__ = (
        UniqueConstraint("kind", "key"),
        Index("agency_line_invoice", "invoice_id"),
    )

    file_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("agency_file.file_id"),)
    )
    line_no: int = Field(primary_key=True)
    kind: str
    key: str
    invoice_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),))
    payment_id: UUID | None = Field(
        default=None, sa_type=Uuid, sa_column_args=(ForeignKey("payment.payment_id"),)
    )
    content: dict[str, Any] = Field(sa_type=JSONB)
