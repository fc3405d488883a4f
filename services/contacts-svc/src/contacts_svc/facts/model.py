"""What other services have told of people's doings: the newest version of each fact."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from contacts_svc.base import Base, Moment


class OrderFact(Base, table=True):
    """What conditions need to know of an order."""

    __tablename__ = "order_fact"
    __table_args__ = (Index("ix_order_fact_person", "person_id", "placed_at"),)

    order_id: UUID = Field(primary_key=True)
    person_id: UUID
    version: int
    total_minor: int = Field(sa_type=BigInteger)
    currency: str
    placed_at: datetime = Field(sa_type=Moment)
    paid_at: datetime | None = Field(default=None, sa_type=Moment)
