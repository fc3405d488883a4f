"""Products and their stock over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from kantis_kit.auth.policy import needs
from kantis_kit.web import Page, Read, Router, Write, decode_cursor, encode_cursor, require_match
from kantis_kit.web.deps import etag
from orders_svc.catalogue import queries, usecases
from orders_svc.catalogue.errors import ProductNotFound
from orders_svc.catalogue.schemas import (
    MovementIn,
    ProductIn,
    ProductList,
    ProductOut,
    ProductPatch,
    ProductsIn,
)

router = Router(prefix="/v1/products", tags=["catalogue"])


@router.post("", policy=needs("orders:write"), status_code=201)
async def create_product(body: ProductIn, tx: Write, response: Response) -> ProductOut:
    """Make a product, with the stock that it begins with."""
    (product,) = await usecases.create_products(tx, [body])
    response.headers["Location"] = f"/v1/products/{product.product_id}"
    response.headers["ETag"] = etag(product.version)
    return ProductOut.model_validate(product)


@router.post("/batch", policy=needs("orders:write"), status_code=201)
async def create_products(body: ProductsIn, tx: Write) -> ProductList:
    """Make up to 1,000 products, all of them or none."""
    made = await usecases.create_products(tx, body.products)
    return ProductList(items=[ProductOut.model_validate(product) for product in made])


@router.get("", policy=needs("orders:read"))
async def list_products(
    tx: Read,
    sku: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ProductOut]:
    """Return products in the order of their sku."""
    after = decode_cursor(cursor, 1)
    rows = await queries.list_products(
        tx, after_sku=str(after[0]) if after else None, sku=sku, limit=limit
    )
    more = encode_cursor(rows[-1].sku) if len(rows) == limit else None
    return Page(items=[ProductOut.model_validate(row) for row in rows], next_cursor=more)


@router.get("/{product_id}", policy=needs("orders:read"))
async def get_product(product_id: UUID, tx: Read, response: Response) -> ProductOut:
    """Return a product; its ETag is what a change must match."""
    product = await queries.get_product(tx, product_id)
    response.headers["ETag"] = etag(product.version)
    return ProductOut.model_validate(product)


@router.patch("/{product_id}", policy=needs("orders:write"))
async def change_product(
    product_id: UUID, body: ProductPatch, request: Request, tx: Write, response: Response
) -> ProductOut:
    """Change the name, price, VAT or activity of a product that has not changed since it was read."""
    product = (await usecases.lock_products(tx, [product_id])).get(product_id)
    if product is None:
        raise ProductNotFound(f"No product has the id {product_id}")
    require_match(request, product.version)
    await usecases.change_product(tx, product, body)
    response.headers["ETag"] = etag(product.version)
    return ProductOut.model_validate(product)


@router.post("/{product_id}/stock-movements", policy=needs("orders:write"), status_code=201)
async def move_stock(product_id: UUID, body: MovementIn, tx: Write) -> ProductOut:
    """Book goods that came in (positive) or went out (negative) other than by an order."""
    product = await usecases.move_stock(tx, product_id, quantity=body.quantity, reason=body.reason)
    return ProductOut.model_validate(product)
