"""Read products."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.catalogue.errors import ProductNotFound
from orders_svc.catalogue.model import BundlePart, Product, Stock, Substitute
from orders_svc.catalogue.schemas import PartOut, ProductKind, ProductOut
from orders_svc.children import children_of


async def get_product(tx: ReadTx, product_id: UUID) -> Product:
    """Return a product. Raises `ProductNotFound`."""
    found = await tx.get(Product, product_id)
    if found is None:
        raise ProductNotFound(f"No product has the id {product_id}")
    return found


async def find_products(tx: ReadTx, product_ids: Iterable[UUID]) -> dict[UUID, Product]:
    """Return the products that exist, by id, as they are now."""
    wanted = set(product_ids)
    if not wanted:
        return {}
    rows = await tx.scalars(
        select(Product)
        .where(col(Product.product_id).in_(wanted))
        .execution_options(populate_existing=True)
    )
    return {product.product_id: product for product in rows}


async def find_by_sku(tx: ReadTx, skus: Iterable[str]) -> dict[str, Product]:
    """Return the products that exist, by sku."""
    wanted = set(skus)
    if not wanted:
        return {}
    rows = await tx.scalars(select(Product).where(col(Product.sku).in_(wanted)))
    return {product.sku: product for product in rows}


async def list_products(
    tx: ReadTx,
    *,
    after_sku: str | None,
    sku: str | None,
    variant_of: UUID | None,
    kind: ProductKind | None,
    limit: int,
) -> list[Product]:
    """Return a page of products in the order of their sku."""
    statement = select(Product).order_by(col(Product.sku)).limit(limit)
    if after_sku is not None:
        statement = statement.where(col(Product.sku) > after_sku)
    if sku is not None:
        statement = statement.where(col(Product.sku) == sku)
    if variant_of is not None:
        statement = statement.where(col(Product.variant_of) == variant_of)
    if kind is not None:
        statement = statement.where(col(Product.kind) == kind.value)
    return list(await tx.scalars(statement))


async def parts_of(tx: ReadTx, bundle_ids: Iterable[UUID]) -> dict[UUID, list[BundlePart]]:
    """Return what bundles are made of, by bundle."""
    return await children_of(
        tx, BundlePart, col(BundlePart.bundle_id), bundle_ids, by=col(BundlePart.product_id)
    )


async def bundle_stock(tx: ReadTx, products: Iterable[Product]) -> dict[UUID, int]:
    """Return for how many of each bundle among these its parts are enough now."""
    bundles = {one.product_id: one for one in products if one.kind == ProductKind.BUNDLE}
    parts = await parts_of(tx, bundles)
    known = await find_products(tx, {part.product_id for one in parts.values() for part in one})
    return {
        bundle_id: min(
            (known[part.product_id].available // part.quantity for part in parts[bundle_id]),
            default=0,
        )
        if bundle.is_active
        else 0
        for bundle_id, bundle in bundles.items()
    }


async def show_products(tx: ReadTx, products: Iterable[Product]) -> list[ProductOut]:
    """Return products as the API shows them, bundles with their parts."""
    listed = list(products)
    enough = await bundle_stock(tx, listed)
    parts = await parts_of(tx, enough)
    shown = []
    for product in listed:
        out = ProductOut.model_validate(product)
        if product.product_id in enough:
            out.available = enough[product.product_id]
            out.parts = [PartOut.model_validate(part) for part in parts[product.product_id]]
        shown.append(out)
    return shown


async def places_of(tx: ReadTx, product_id: UUID) -> list[Stock]:
    """Return where a product lies."""
    rows = await tx.scalars(
        select(Stock)
        .where(col(Stock.product_id) == product_id, col(Stock.on_hand) > 0)
        .order_by(col(Stock.place))
    )
    return list(rows)


async def substitutes_of(tx: ReadTx, product_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Return what may be sent instead of these, the best first."""
    wanted = set(product_ids)
    found: dict[UUID, list[UUID]] = {}
    if wanted:
        rows = await tx.scalars(
            select(Substitute)
            .where(col(Substitute.product_id).in_(wanted))
            .order_by(col(Substitute.rank), col(Substitute.substitute_id))
        )
        for one in rows:
            found.setdefault(one.product_id, []).append(one.substitute_id)
    return found
