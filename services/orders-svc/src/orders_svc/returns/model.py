"""Goods that come back: announced by the customer, received by scanning, put back on the shelf or scrapped, refunded."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from orders_svc.base import Base, Moment
from orders_svc.returns.errors import ReturnSettled


class ReturnState(StrEnum):
    """Where a return is."""

    ANNOUNCED = "announced"
    RECEIVED = "received"
    CANCELLED = "cancelled"


class GoodsReturn(Base, table=True):
    """Goods of an order on their way back; its number is that of the order and which return it is."""

    __tablename__ = "goods_return"
    __table_args__ = (
        CheckConstraint(
            "state IN ('announced', 'received', 'cancelled')", name="goods_return_state"
        ),
        CheckConstraint(
            "(state = 'announced') = (settled_at IS NULL)", name="goods_return_settled"
        ),
        CheckConstraint("refund_minor >= 0", name="goods_return_refund"),
        Index("goods_return_order", "order_id"),
        Index("goods_return_open", "return_id", postgresql_where="state = 'announced'"),
    )

    return_id: UUID = Field(primary_key=True)
    order_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),))
    number: str = Field(unique=True)
    state: str = ReturnState.ANNOUNCED.value
    is_withdrawal: bool
    reason: str = ""
    deadline_on: date | None = None
    """The last day on which the customer could withdraw; none while nothing has arrived."""
    announced_at: datetime = Field(sa_type=Moment)
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
    refund_minor: int = Field(default=0, sa_type=BigInteger)
    credit_notes: list[dict[str, Any]] = Field(default=[], sa_type=JSONB)
    """Number and amount of what was credited."""

    def settle(self, state: ReturnState, *, at: datetime) -> None:
        """End it, once. Raises `ReturnSettled`."""
        if self.state != ReturnState.ANNOUNCED:
            raise ReturnSettled(
                f"Return {self.number} was {self.state} on {self.settled_at:%Y-%m-%d}",
                state=str(self.state),
            )
        self.state, self.settled_at = state.value, at


class GoodsReturnLine(Base, table=True):
    """How many of a line of the order come back, and what became of them."""

    __tablename__ = "goods_return_line"
    __table_args__ = (
        CheckConstraint(
            "announced >= 0 AND restocked >= 0 AND scrapped >= 0", name="goods_return_line_counts"
        ),
    )

    return_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("goods_return.return_id"),)
    )
    line_no: int = Field(primary_key=True)
    announced: int = 0
    restocked: int = 0
    scrapped: int = 0
