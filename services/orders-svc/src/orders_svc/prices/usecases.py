"""Keep prices, and let products cost and be taxed as the day wants it."""

from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from kantis_kit.calendar import date_in
from kantis_kit.errors import Invalid
from kantis_kit.tx import Tx
from orders_svc.catalogue.assortment import change_product
from orders_svc.catalogue.errors import ProductNotFound
from orders_svc.catalogue.model import Product
from orders_svc.catalogue.schemas import ProductPatch
from orders_svc.catalogue.usecases import lock_products, tell
from orders_svc.prices.model import ALWAYS, Price
from orders_svc.prices.schemas import PriceIn
from orders_svc.settings import OrdersSettings

PART = 500
_STALE = text(
    """
    SELECT p.product_id, price.price_minor, rate.vat_pct
    FROM product p
    LEFT JOIN LATERAL (
        SELECT price_minor FROM price
        WHERE product_id = p.product_id AND currency = p.currency AND valid_from <= :today
          AND (valid_until IS NULL OR valid_until >= :today)
        ORDER BY valid_from DESC LIMIT 1
    ) AS price ON p.has_prices
    LEFT JOIN LATERAL (
        SELECT vat_pct FROM vat_rate
        WHERE country = :home AND vat_class IN (p.vat_class, 'standard') AND valid_from <= :today
        ORDER BY (vat_class = p.vat_class) DESC, valid_from DESC LIMIT 1
    ) AS rate ON p.vat_class <> 'fixed'
    WHERE (price.price_minor <> p.price_minor OR rate.vat_pct <> p.vat_pct)
      AND (cast(:only AS uuid) IS NULL OR p.product_id = :only)
    ORDER BY p.product_id LIMIT :part
    """
)


async def set_price(tx: Tx, product_id: UUID, given: PriceIn) -> Price:
    """Enter a price; one that begins on the same day in the same currency is replaced.

    Raises:
        ProductNotFound: no product has this id.
        Invalid: the price has ended already.
    """
    today = _today(tx)
    if given.valid_until is not None and given.valid_until < today:
        raise Invalid(
            f"valid_until: {given.valid_until} has passed; nobody will be asked this price"
        )
    product = (await lock_products(tx, [product_id])).get(product_id)
    if product is None:
        raise ProductNotFound(f"No product has the id {product_id}")
    if not product.has_prices:
        product.has_prices = True
        await _put(
            tx,
            product_id,
            PriceIn.model_construct(
                currency=product.currency, valid_from=ALWAYS, price_minor=product.price_minor
            ),
        )
    price = await _put(tx, product_id, given)
    await follow_day(tx, only=product_id)
    return price


async def change_with_price(tx: Tx, product: Product, patch: ProductPatch) -> Product:
    """Change a locked product; its price becomes the one that holds whenever no other does."""
    if patch.price_minor is not None and product.has_prices:
        await _put(
            tx,
            product.product_id,
            PriceIn.model_construct(
                currency=product.currency, valid_from=ALWAYS, price_minor=patch.price_minor
            ),
        )
        changed = await change_product(tx, product, patch.model_copy(update={"price_minor": None}))
        await follow_day(tx, only=product.product_id)
        return changed
    return await change_product(tx, product, patch)


async def follow_day(tx: Tx, *, only: UUID | None = None) -> int:
    """Let products have the price and the rate of VAT of today at home; return how many changed."""
    home = tx.settings(OrdersSettings).company_country
    await tx.flush()  # prices of this transaction count
    rows = await tx.execute(_STALE, {"today": _today(tx), "home": home, "only": only, "part": PART})
    stale = {row.product_id: row for row in rows}
    products = await lock_products(tx, stale)
    for product_id, product in products.items():
        found = stale[product_id]
        product.price_minor = (
            product.price_minor if found.price_minor is None else found.price_minor
        )
        product.vat_pct = product.vat_pct if found.vat_pct is None else found.vat_pct
        product.version += 1
    await tell(tx, list(products.values()))
    return len(products)


async def _put(tx: Tx, product_id: UUID, given: PriceIn) -> Price:
    price: Price = await tx.scalar(
        insert(Price)
        .values(product_id=product_id, **given.model_dump())
        .on_conflict_do_update(
            index_elements=[col(Price.product_id), col(Price.currency), col(Price.valid_from)],
            set_={"price_minor": given.price_minor, "valid_until": given.valid_until},
        )
        .returning(Price)
        .execution_options(populate_existing=True)
    )
    return price


def _today(tx: Tx) -> date:
    return date_in(tx.clock.now(), tx.settings(OrdersSettings).company_country)
