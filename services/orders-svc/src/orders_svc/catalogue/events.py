"""What of a product leaves this service."""

from collections.abc import Iterable

from kantis_contracts.orders import ProductCard, ProductChangedV1
from orders_svc.catalogue.model import Product


def products_changed(products: Iterable[Product]) -> ProductChangedV1:
    """Say what products have become."""
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
                available=product.available,
                is_active=product.is_active,
            )
            for product in products
        )
    )
