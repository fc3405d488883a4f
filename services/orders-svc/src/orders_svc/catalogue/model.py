"""Products, and stock as movements and reservations that the database keeps within bounds."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid
from sqlmodel import Field

from orders_svc.base import Base, Moment


class ReservationState(StrEnum):
    """What has become of goods set aside."""

    HELD = "held"
    CONSUMED = "consumed"
    RELEASED = "released"


class Product(Base, table=True):
    """Something to sell, with what lies in stock and what of it is promised to orders."""

    __table_args__ = (
        CheckConstraint("price_minor >= 0", name="product_price"),
        CheckConstraint("vat_pct BETWEEN 0 AND 100", name="product_vat"),
        CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="product_stock"),
    )

    product_id: UUID = Field(primary_key=True)
    version: int = 1
    sku: str = Field(unique=True)
    name: str
    price_minor: int
    currency: str
    vat_pct: int
    is_active: bool = True
    on_hand: int = 0
    reserved: int = 0

    @property
    def available(self) -> int:
        """What may be sold now."""
        return self.on_hand - self.reserved if self.is_active else 0


class StockMovement(Base, table=True):
    """Goods that came or went; never changed, and their sum is what is on hand."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        CheckConstraint("quantity <> 0", name="stock_movement_quantity"),
        Index("stock_movement_product", "product_id"),
    )

    movement_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),))
    quantity: int
    reason: str
    order_id: UUID | None = None
    moved_at: datetime = Field(sa_type=Moment)


class Reservation(Base, table=True):
    """Goods set aside for an order."""

    __table_args__ = (
        CheckConstraint("quantity > 0", name="reservation_quantity"),
        CheckConstraint("state IN ('held', 'consumed', 'released')", name="reservation_state"),
        Index("reservation_product", "product_id", postgresql_where="state = 'held'"),
    )

    order_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    quantity: int
    state: str = ReservationState.HELD.value
