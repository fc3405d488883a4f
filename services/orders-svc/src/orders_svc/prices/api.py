"""Prices over HTTP."""

from datetime import date
from uuid import UUID

from fastapi import Request, Response

from kantis_kit.auth.policy import needs
from kantis_kit.calendar import date_in
from kantis_kit.web import Read, Router, Write, require_match
from kantis_kit.web.deps import etag
from orders_svc.catalogue.errors import ProductNotFound
from orders_svc.catalogue.queries import get_product, show_products
from orders_svc.catalogue.schemas import ProductOut, ProductPatch
from orders_svc.catalogue.usecases import lock_products
from orders_svc.prices import queries, usecases
from orders_svc.prices.schemas import PriceIn, PriceList, PriceOut
from orders_svc.settings import OrdersSettings

router = Router(prefix="/v1/products", tags=["catalogue"])


@router.patch("/{product_id}", policy=needs("orders:write"))
async def change_product(
    product_id: UUID, body: ProductPatch, request: Request, tx: Write, response: Response
) -> ProductOut:
    """Change what is said about a product that has not changed since it was read."""
    product = (await lock_products(tx, [product_id])).get(product_id)
    if product is None:
        raise ProductNotFound(f"No product has the id {product_id}")
    require_match(request, product.version)
    await usecases.change_with_price(tx, product, body)
    response.headers["ETag"] = etag(product.version)
    (shown,) = await show_products(tx, [product])
    return shown


@router.post("/{product_id}/prices", policy=needs("orders:write"), status_code=201)
async def set_price(product_id: UUID, body: PriceIn, tx: Write) -> PriceOut:
    """Enter a price in a currency from a day on; one that begins on the same day is replaced."""
    return PriceOut.model_validate(await usecases.set_price(tx, product_id, body))


@router.get("/{product_id}/prices", policy=needs("orders:read"))
async def list_prices(product_id: UUID, tx: Read, on: date | None = None) -> PriceList:
    """Return the prices of a product, and which one holds on a day in each currency."""
    product = await get_product(tx, product_id)
    day = on or date_in(tx.clock.now(), tx.settings(OrdersSettings).company_country)
    holding = await queries.prices_on(tx, day, [product])
    rows = await queries.list_prices(tx, product_id)
    listed = {currency: amount for (_, currency), amount in holding.listed.items()}
    return PriceList(
        on=day,
        items=[PriceOut.model_validate(row) for row in rows],
        in_force={product.currency: product.price_minor, **listed},
    )
