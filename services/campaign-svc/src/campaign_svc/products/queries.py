"""Reads of the product copy."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.products.model import Product
from kantis_kit.tx import ReadTx


async def find_product(tx: ReadTx, product_id: UUID) -> Product | None:
    """Return the product, or None when orders-svc has not told us of it."""
    return await tx.get(Product, product_id)


async def products_by_id(tx: ReadTx, product_ids: Iterable[UUID]) -> dict[UUID, Product]:
    """Return those of the products that we know."""
    wanted = list(set(product_ids))
    rows = await tx.scalars(select(Product).where(col(Product.product_id).in_(wanted)))
    return {row.product_id: row for row in rows}
