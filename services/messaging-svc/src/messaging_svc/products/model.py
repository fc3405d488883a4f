"""Our own copy of the products that messages show, and of what is bought with them."""

from sqlalchemy import BigInteger, Boolean, Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from messaging_svc.base import Uid, metadata

product_card = Table(
    "product_card",
    metadata,
    Column("product_id", Uid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("sku", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("available", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False),
)
"""A product as orders-svc last described it; `version` decides which description is newer."""

also_bought = Table(
    "also_bought",
    metadata,
    Column("product_id", Uid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("skus", JSONB, nullable=False),
)
"""What buyers of a product also bought, the strongest first."""
