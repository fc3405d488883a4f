"""Our own copy of the products that offers may name."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime
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
    vat_pct: int
    available: int = Field(sa_type=BigInteger)
    is_active: bool
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
