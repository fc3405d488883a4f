"""What of a product leaves this service."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from kantis_contracts.orders import ProductCard, ProductChangedV1
from orders_svc.catalogue.model import Product


def products_changed(
    products: Iterable[Product], available: Mapping[UUID, int] | None = None
) -> ProductChangedV1:
    """Say what products have become; of bundles, `available` says how many their parts are enough for."""
    of_parts = available or {}
    return ProductChangedV1(
        items=tuple(
            ProductCard(
                product_id=product.product_id,
                version=product.version,
                sku=product.sku,
                name=product.name,
                price_minor=product.price_minor,
                currency=product.currency,
                vat_pct=product.vat_pct,
                available=of_parts.get(product.product_id, product.available),
                is_active=product.is_active,
            )
            for product in products
        )
    )
