"""Prices with validity and currency."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Uuid
from sqlmodel import Field

from orders_svc.base import Base

ALWAYS = date(1, 1, 1)
"""Since when the price of the product itself holds: before every other."""


class Price(Base, table=True):
    """What a product costs in a currency from a day on; of several that hold, the one that began last."""

    __table_args__ = (
        CheckConstraint("price_minor >= 0", name="price_amount"),
        CheckConstraint("valid_until >= valid_from", name="price_validity"),
    )

    product_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    currency: str = Field(primary_key=True)
    valid_from: date = Field(primary_key=True)
    valid_until: date | None = None
    price_minor: int
