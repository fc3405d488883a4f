"""Read products."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.catalogue.errors import ProductNotFound
from orders_svc.catalogue.model import Product


async def get_product(tx: ReadTx, product_id: UUID) -> Product:
    """Return a product. Raises `ProductNotFound`."""
    found = await tx.get(Product, product_id)
    if found is None:
        raise ProductNotFound(f"No product has the id {product_id}")
    return found


async def find_products(tx: ReadTx, product_ids: Iterable[UUID]) -> dict[UUID, Product]:
    """Return the products that exist, by id, as they are now."""
    rows = await tx.scalars(
        select(Product)
        .where(col(Product.product_id).in_(set(product_ids)))
        .execution_options(populate_existing=True)
    )
    return {product.product_id: product for product in rows}


async def find_by_sku(tx: ReadTx, skus: Iterable[str]) -> dict[str, Product]:
    """Return the products that exist, by sku."""
    rows = await tx.scalars(select(Product).where(col(Product.sku).in_(set(skus))))
    return {product.sku: product for product in rows}


async def list_products(
    tx: ReadTx, *, after_sku: str | None, sku: str | None, limit: int
) -> list[Product]:
    """Return a page of products in the order of their sku."""
    statement = select(Product).order_by(col(Product.sku)).limit(limit)
    if after_sku is not None:
        statement = statement.where(col(Product.sku) > after_sku)
    if sku is not None:
        statement = statement.where(col(Product.sku) == sku)
    return list(await tx.scalars(statement))
