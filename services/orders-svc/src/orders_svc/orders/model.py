"""An order and its way: placed, picking, shipped; cancelled before it ships; paid when its invoice is."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Sequence, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from orders_svc.base import Base, Moment
from orders_svc.orders.errors import WrongState

ORDER_NUMBERS = Sequence("order_number", start=100_001, metadata=Base.metadata)


class OrderState(StrEnum):
    """Where an order is."""

    PLACED = "placed"
    PICKING = "picking"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class SalesOrder(Base, table=True):
    """What a person gets; `version` grows with each change."""

    __tablename__ = "sales_order"
    __table_args__ = (
        CheckConstraint("total_minor >= 0", name="sales_order_total"),
        CheckConstraint(
            "state IN ('placed', 'picking', 'shipped', 'cancelled')", name="sales_order_state"
        ),
        CheckConstraint(
            "(state = 'shipped') = (shipped_at IS NOT NULL)", name="sales_order_shipped"
        ),
        CheckConstraint("is_paid = (paid_at IS NOT NULL)", name="sales_order_paid"),
        Index("sales_order_open", "placed_at", postgresql_where="state IN ('placed', 'picking')"),
        Index("sales_order_person", "person_id"),
        Index("sales_order_merged", "merged_id", postgresql_where="merged_id IS NOT NULL"),
    )

    order_id: UUID = Field(primary_key=True)
    version: int = 1
    number: str = Field(unique=True)
    person_id: UUID
    response_id: UUID | None = Field(default=None, unique=True)
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    state: str = OrderState.PLACED.value
    is_paid: bool = False
    total_minor: int = Field(sa_type=BigInteger)
    currency: str
    placed_at: datetime = Field(sa_type=Moment)
    picked_at: datetime | None = Field(default=None, sa_type=Moment)
    shipped_at: datetime | None = Field(default=None, sa_type=Moment)
    cancelled_at: datetime | None = Field(default=None, sa_type=Moment)
    paid_at: datetime | None = Field(default=None, sa_type=Moment)
    tracking: str = ""
    ship_to: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """Where the parcel goes, when the answer said that the address has changed."""
    merged_id: UUID | None = None
    """The id under which it came, while a merge has it stand with another."""

    def pick(self, *, at: datetime) -> None:
        """Begin to pick. Raises `WrongState`."""
        self._step(OrderState.PICKING, "picked", OrderState.PLACED)
        self.picked_at = at

    def ship(self, *, at: datetime, tracking: str) -> None:
        """Hand over to the carrier. Raises `WrongState`."""
        self._step(OrderState.SHIPPED, "shipped", OrderState.PICKING)
        self.shipped_at = at
        self.tracking = tracking

    def cancel(self, *, at: datetime) -> None:
        """Call off, which is possible until the order ships. Raises `WrongState`."""
        self._step(OrderState.CANCELLED, "cancelled", OrderState.PLACED, OrderState.PICKING)
        self.cancelled_at = at

    def pay(self, *, at: datetime) -> bool:
        """Note that the invoice is paid in full; say whether that is news."""
        if self.is_paid:
            return False
        self.is_paid, self.paid_at = True, at
        self.version += 1
        return True

    def _step(self, to: OrderState, done: str, *begins: OrderState) -> None:
        if self.state not in begins:
            wanted = " or ".join(begins)
            raise WrongState(
                f"Order {self.number} is {self.state}; it can be {done} only while it is {wanted}",
                state=str(self.state),
            )
        self.state = to.value
        self.version += 1


class OrderLine(Base, table=True):
    """Goods in an order at the price that was agreed, VAT included."""

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="order_line_quantity"),
        CheckConstraint("unit_price_minor >= 0", name="order_line_price"),
        CheckConstraint("amount_minor = quantity * unit_price_minor", name="order_line_amount"),
    )

    order_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),)
    )
    line_no: int = Field(primary_key=True)
    product_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),))
    sku: str
    name: str
    quantity: int
    unit_price_minor: int = Field(sa_type=BigInteger)
    vat_pct: int
    amount_minor: int = Field(sa_type=BigInteger)
