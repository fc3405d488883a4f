"""What other services have told of people's doings: the newest version of each fact.

Facts come in any order and more than once; every row can be made by whichever event is heard first.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment


class OrderFact(Base, table=True):
    """An order, as it is by the newest version told; the amounts include VAT."""

    __tablename__ = "order_fact"
    __table_args__ = (Index("ix_order_fact_person", "person_id", "placed_at"),)

    order_id: UUID = Field(primary_key=True)
    person_id: UUID
    version: int
    number: str = ""
    total_minor: int = Field(sa_type=BigInteger)
    currency: str
    lines: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    """Per line `product_id`, `sku`, `name`, `quantity`, `amount_minor`."""
    campaign_id: UUID | None = None
    placed_at: datetime = Field(sa_type=Moment)
    shipped_at: datetime | None = Field(default=None, sa_type=Moment)
    delivered_at: datetime | None = Field(default=None, sa_type=Moment)
    paid_at: datetime | None = Field(default=None, sa_type=Moment)
    paid_version: int = 0
    """The order's version by which it was last paid, or unpaid again."""
    cancelled_at: datetime | None = Field(default=None, sa_type=Moment)


class InvoiceFact(Base, table=True):
    """An invoice, and what is still owed; without a total and a day while only its payments have been told."""

    __tablename__ = "invoice_fact"
    __table_args__ = (Index("ix_invoice_fact_person", "person_id", "issued_at"),)

    invoice_id: UUID = Field(primary_key=True)
    order_id: UUID
    person_id: UUID
    number: str = ""
    currency: str
    total_minor: int | None = Field(default=None, sa_type=BigInteger)
    paid_minor: int = Field(default=0, sa_type=BigInteger)
    credited_minor: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"}
    )
    """What credit notes took off what was owed."""
    open_minor: int | None = Field(default=None, sa_type=BigInteger)
    due_on: date | None = None
    campaign_id: UUID | None = None
    issued_at: datetime | None = Field(default=None, sa_type=Moment)
    dunning_version: int = 0
    dunning_state: str = "none"
    """none, reminded, warned, paused, disputed, with_agency."""
    reminders: int = 0
    dunning_at: datetime | None = Field(default=None, sa_type=Moment)


class PaymentFact(Base, table=True):
    """Money that came in for an invoice."""

    __tablename__ = "payment_fact"
    __table_args__ = (Index("ix_payment_fact_person", "person_id", "booked_at"),)

    payment_id: UUID = Field(primary_key=True)
    invoice_id: UUID = Field(index=True)
    order_id: UUID
    person_id: UUID
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    booked_at: datetime = Field(sa_type=Moment)


class ReturnFact(Base, table=True):
    """Goods of an order that came back; `refund_minor` was credited for them."""

    __tablename__ = "return_fact"
    __table_args__ = (Index("ix_return_fact_person", "person_id", "returned_at"),)

    return_id: UUID = Field(primary_key=True)
    order_id: UUID
    person_id: UUID
    number: str
    refund_minor: int = Field(sa_type=BigInteger)
    currency: str
    is_withdrawal: bool
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    """As those of an order."""
    campaign_id: UUID | None = None
    returned_at: datetime = Field(sa_type=Moment)


class MessageFact(Base, table=True):
    """A message to a person, how it ended, and when it was first opened and clicked by a human being.

    `at` is the moment of its end, or the first sign of it while the end has not been told.
    """

    __tablename__ = "message_fact"
    __table_args__ = (Index("ix_message_fact_person", "person_id", "at"),)

    message_id: UUID = Field(primary_key=True)
    person_id: UUID
    channel: str = ""
    campaign_id: UUID | None = None
    state: str = ""
    """accepted, failed, suppressed, expired, in_doubt; empty while the end has not been told."""
    reason: str = ""
    at: datetime = Field(sa_type=Moment)
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
    opened_at: datetime | None = Field(default=None, sa_type=Moment)
    clicked_at: datetime | None = Field(default=None, sa_type=Moment)


class EngagementFact(Base, table=True):
    """One opening or click, with the verdict of who did it: human, suspect or machine."""

    __tablename__ = "engagement_fact"
    __table_args__ = (Index("ix_engagement_fact_person", "person_id", "seen_at"),)

    engagement_id: UUID = Field(primary_key=True)
    message_id: UUID
    person_id: UUID
    kind: str
    """opened, clicked."""
    verdict: str
    link_id: UUID | None = None
    campaign_id: UUID | None = None
    seen_at: datetime = Field(sa_type=Moment)


class ResponseFact(Base, table=True):
    """An answer to a piece: order, inquiry, complaint or refusal."""

    __tablename__ = "response_fact"
    __table_args__ = (Index("ix_response_fact_person", "person_id", "responded_at"),)

    response_id: UUID = Field(primary_key=True)
    person_id: UUID
    kind: str
    way: str
    campaign_id: UUID | None = None
    responded_at: datetime = Field(sa_type=Moment)
