"""How unpaid invoices are followed up: where each stands, and every step that led there."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid
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
    actor: str
    entered_at: datetime = Field(sa_type=Moment)
