"""Which price holds on a day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.catalogue.model import Product
from orders_svc.prices.errors import NotSoldIn
from orders_svc.prices.model import Price


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of some products on a day."""

    on: date
    listed: Mapping[tuple[UUID, str], int]

    def of(self, product: Product, currency: str) -> int:
        """Return what a product costs. Raises `NotSoldIn`."""
        listed = self.listed.get((product.product_id, currency))
        if listed is not None:
            return listed
        if currency == product.currency:
            return product.price_minor
        raise NotSoldIn(
            f"{product.sku} has no price in {currency} on {self.on}: choose {product.currency}, or"
            f" enter a price with POST /v1/products/{product.product_id}/prices",
            sku=product.sku,
            currency=currency,
        )


async def prices_on(tx: ReadTx, day: date, products: Iterable[Product]) -> Prices:
    """Return the prices that hold on a day; products without prices of their own cost no question."""
    priced = [product.product_id for product in products if product.has_prices]
    if not priced:
        return Prices(day, {})
    rows = await tx.execute(
        select(col(Price.product_id), col(Price.currency), col(Price.price_minor))
        .ext(distinct_on(col(Price.product_id), col(Price.currency)))
        .where(
            col(Price.product_id).in_(priced),
            col(Price.valid_from) <= day,
            or_(col(Price.valid_until).is_(None), col(Price.valid_until) >= day),
        )
        .order_by(col(Price.product_id), col(Price.currency), col(Price.valid_from).desc())
    )
    return Prices(day, {(row.product_id, row.currency): row.price_minor for row in rows})


async def list_prices(tx: ReadTx, product_id: UUID) -> list[Price]:
    """Return every price of a product."""
    return list(
        await tx.scalars(
            select(Price)
            .where(col(Price.product_id) == product_id)
            .order_by(col(Price.currency), col(Price.valid_from))
        )
    )
