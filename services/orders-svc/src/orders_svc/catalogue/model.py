"""Products, and stock as movements and reservations that the database keeps within bounds."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from orders_svc.base import Base, Moment, Pct
from orders_svc.catalogue.schemas import ProductKind


class ReservationState(StrEnum):
    """What has become of goods set aside; who waits has none yet."""

    WAITING = "waiting"
    HELD = "held"
    CONSUMED = "consumed"
    RELEASED = "released"


class Product(Base, table=True):
    """Something to sell, with what lies in stock and what of it is promised to orders."""

    __table_args__ = (
        CheckConstraint("price_minor >= 0", name="product_price"),
        CheckConstraint("vat_pct BETWEEN 0 AND 100", name="product_vat"),
        CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="product_stock"),
        CheckConstraint("kind IN ('goods', 'material', 'family', 'bundle')", name="product_kind"),
        CheckConstraint(
            "kind IN ('goods', 'material') OR (on_hand = 0 AND awaited = 0)",
            name="product_without_stock",
        ),
        CheckConstraint("awaited >= 0", name="product_awaited"),
        CheckConstraint(
            "lead_days >= 0 AND min_stock >= 0 AND order_multiple > 0", name="product_purchase"
        ),
        Index(
            "product_variant",
            "variant_of",
            "attributes",
            unique=True,
            postgresql_where="variant_of IS NOT NULL",
        ),
        Index("product_awaited", "product_id", postgresql_where="awaited > 0"),
    )

    product_id: UUID = Field(primary_key=True)
    version: int = 1
    sku: str = Field(unique=True)
    name: str
    price_minor: int
    currency: str
    vat_pct: Decimal = Field(sa_type=Pct)
    is_active: bool = True
    on_hand: int = 0
    reserved: int = 0
    kind: str = ProductKind.GOODS.value
    variant_of: UUID | None = Field(
        default=None, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    attributes: dict[str, str] = Field(default_factory=dict, sa_type=JSONB)
    """What sets a variant apart: size, colour."""
    vat_class: str = "fixed"
    """By which its VAT is looked up; `fixed` is `vat_pct`, wherever and whenever it is sold."""
    has_prices: bool = False
    """Whether there are prices of other days or currencies; who orders need not look when there are none."""
    is_part: bool = False
    """Whether a bundle has it; its stock is that of the bundle then, too."""
    awaited: int = 0
    """What orders wait for that came before everybody who asks now."""
    lead_days: int | None = None
    """How long a purchase takes to come."""
    min_stock: int = 0
    order_multiple: int = 1
    """A purchase is a multiple of it: a pallet, a box."""

    @property
    def has_stock(self) -> bool:
        """Whether it lies on shelves itself."""
        return self.kind in (ProductKind.GOODS, ProductKind.MATERIAL)

    @property
    def unreserved(self) -> int:
        """What is set aside for nobody."""
        return self.on_hand - self.reserved

    @property
    def available(self) -> int:
        """What may be sold now to who has not waited; of a bundle, see `bundles.availability`."""
        return max(0, self.unreserved - self.awaited) if self.is_active else 0


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
    place: str | None = None
    """Where it happened. Without one, the database takes goods from where there are enough."""


class Stock(Base, table=True):
    """What of a product lies at a place; the database moves it with each movement."""

    __table_args__ = (CheckConstraint("on_hand >= 0", name="stock_on_hand"),)

    product_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    place: str = Field(primary_key=True)
    on_hand: int


class BundlePart(Base, table=True):
    """Goods that a bundle is made of."""

    __tablename__ = "bundle_part"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="bundle_part_quantity"),
        CheckConstraint("bundle_id <> product_id", name="bundle_part_other"),
        Index("bundle_part_product", "product_id"),
    )

    bundle_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    product_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    quantity: int


class Substitute(Base, table=True):
    """What may be sent instead; the lowest rank first."""

    __table_args__ = (CheckConstraint("product_id <> substitute_id", name="substitute_other"),)

    product_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    substitute_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    rank: int


class Reservation(Base, table=True):
    """Goods set aside for an order."""

    __table_args__ = (
        CheckConstraint("quantity > 0", name="reservation_quantity"),
        CheckConstraint(
            "state IN ('waiting', 'held', 'consumed', 'released')", name="reservation_state"
        ),
        Index("reservation_waiting", "product_id", postgresql_where="state = 'waiting'"),
        Index("reservation_product", "product_id", postgresql_where="state = 'held'"),
    )

    order_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    quantity: int
    state: str = ReservationState.HELD.value
