"""Who bought what, and what is bought together; counted per person, so that one who buys often counts once."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from orders_svc.base import Base


class Bought(Base, table=True):
    """That a person bought a product once, or a variant of it."""

    person_id: UUID = Field(primary_key=True)
    product_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )


class Buyers(Base, table=True):
    """How many people bought a product."""

    __table_args__ = (CheckConstraint("buyers >= 0", name="buyers_positive"),)

    product_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    buyers: int


class BoughtTogether(Base, table=True):
    """How many people bought both; each pair stands in both directions."""

    __tablename__ = "bought_together"
    __table_args__ = (CheckConstraint("product_id <> other_id", name="bought_together_other"),)

    product_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    other_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    buyers: int


class Recommended(Base, table=True):
    """What was last said of a product: what its buyers also bought."""

    __tablename__ = "recommendation"

    product_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("product.product_id"),)
    )
    version: int
    also: list[dict[str, Any]] = Field(sa_type=JSONB)
