"""Rules of what is packed into which order, and what was."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from orders_svc.base import Base, Moment
from orders_svc.packaging.schemas import Per


class PackingRule(Base, table=True):
    """Which material goes into which orders; every condition that is given must hold."""

    __tablename__ = "packing_rule"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND pieces_per > 0", name="packing_rule_quantity"),
        CheckConstraint("per IN ('order', 'piece')", name="packing_rule_per"),
        CheckConstraint(
            "(min_minor IS NULL AND max_minor IS NULL) OR currency IS NOT NULL",
            name="packing_rule_value",
        ),
    )

    rule_id: UUID = Field(primary_key=True)
    name: str
    material_id: UUID = Field(sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),))
    quantity: int
    per: str = Per.ORDER.value
    pieces_per: int = 1
    """With `per` piece: so much for each so many pieces begun."""
    product_id: UUID | None = Field(
        default=None, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    countries: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    campaign_id: UUID | None = None
    currency: str | None = None
    min_minor: int | None = Field(default=None, sa_type=BigInteger)
    max_minor: int | None = Field(default=None, sa_type=BigInteger)
    min_pieces: int | None = None
    max_pieces: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    is_active: bool = True


class Packing(Base, table=True):
    """Material that was taken for an order; `short` is what the shelf did not have."""

    __table_args__ = (CheckConstraint("quantity >= 0 AND short >= 0", name="packing_quantity"),)

    order_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),)
    )
    material_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    quantity: int
    short: int = 0
    packed_at: datetime = Field(sa_type=Moment)
