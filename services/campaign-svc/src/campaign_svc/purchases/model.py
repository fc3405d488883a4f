"""The orders that people have paid: whether somebody is a customer, buys again, and stays."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field

from campaign_svc.base import Base


class PaidOrder(Base, table=True):
    """An order that somebody paid; one that was called off counts for nothing."""

    __tablename__ = "paid_order"

    order_id: UUID = Field(primary_key=True)
    person_id: UUID
    merged_id: UUID | None = None
    paid_at: datetime = Field(sa_type=DateTime(timezone=True))
    is_cancelled: bool = False
