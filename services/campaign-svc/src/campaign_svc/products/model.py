"""Our own copy of the products that offers may name."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Numeric
from sqlmodel import Field

from campaign_svc.base import Base


class Product(Base, table=True):
    """A product as orders-svc last described it; `version` decides which description is newer."""

    product_id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    sku: str
    name: str
    price_minor: int = Field(sa_type=BigInteger)
    currency: str
    vat_pct: Decimal = Field(sa_type=Numeric(5, 2))
    available: int = Field(sa_type=BigInteger)
    is_active: bool
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
