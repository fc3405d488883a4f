"""Products and their stock over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from kantis_kit.auth.policy import needs
from kantis_kit.tx import ReadTx
from kantis_kit.web import Page, Read, Router, Write, decode_cursor, encode_cursor
from kantis_kit.web.deps import etag
from orders_svc.catalogue import assortment, queries, stock
from orders_svc.catalogue.model import Product
from orders_svc.catalogue.schemas import (
    CountIn,
    MovementIn,
    ProductIn,
    ProductKind,
    ProductList,
    ProductOut,
    ProductsIn,
    StockList,
    StockOut,
    SubstitutesIn,
    TransferIn,
)

router = Router(prefix="/v1/products", tags=["catalogue"])


@router.post("", policy=needs("orders:write"), status_code=201)
async def create_product(body: ProductIn, tx: Write, response: Response) -> ProductOut:
    """Make a product, with the stock that it begins with."""
    (product,) = await assortment.create_products(tx, [body])
    response.headers["Location"] = f"/v1/products/{product.product_id}"
    response.headers["ETag"] = etag(product.version)
    return await _show(tx, product)


@router.post("/batch", policy=needs("orders:write"), status_code=201)
async def create_products(body: ProductsIn, tx: Write) -> ProductList:
    """Make up to 1,000 products, all of them or none."""
    made = await assortment.create_products(tx, body.products)
    return ProductList(items=await queries.show_products(tx, made))


@router.get("", policy=needs("orders:read"))
async def list_products(
    tx: Read,
    *,
    sku: str | None = None,
    variant_of: UUID | None = None,
    kind: ProductKind | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ProductOut]:
    """Return products in the order of their sku."""
    after = decode_cursor(cursor, 1)
    rows = await queries.list_products(
        tx,
        after_sku=str(after[0]) if after else None,
        sku=sku,
        variant_of=variant_of,
        kind=kind,
        limit=limit,
    )
    more = encode_cursor(rows[-1].sku) if len(rows) == limit else None
    return Page(items=await queries.show_products(tx, rows), next_cursor=more)


@router.get("/{product_id}", policy=needs("orders:read"))
async def get_product(product_id: UUID, tx: Read, response: Response) -> ProductOut:
    """Return a product; its ETag is what a change must match."""
    product = await queries.get_product(tx, product_id)
    response.headers["ETag"] = etag(product.version)
    return await _show(tx, product)


@router.post("/{product_id}/stock-movements", policy=needs("orders:write"), status_code=201)
async def move_stock(product_id: UUID, body: MovementIn, tx: Write) -> ProductOut:
    """Book goods that came in (positive) or went out (negative) other than by an order."""
    product = await stock.move_stock(
        tx, product_id, quantity=body.quantity, reason=body.reason, place=body.place
    )
    return await _show(tx, product)


@router.get("/{product_id}/places", policy=needs("orders:read"))
async def list_places(product_id: UUID, tx: Read) -> StockList:
    """Return where a product lies, and how much of it."""
    await queries.get_product(tx, product_id)
    rows = await queries.places_of(tx, product_id)
    return StockList(items=[StockOut.model_validate(row) for row in rows])


@router.post("/{product_id}/transfers", policy=needs("orders:write"), status_code=201)
async def transfer_stock(product_id: UUID, body: TransferIn, tx: Write) -> StockList:
    """Book goods that were carried from one place to another."""
    await stock.transfer_stock(
        tx, product_id, source=body.from_place, target=body.to_place, quantity=body.quantity
    )
    rows = await queries.places_of(tx, product_id)
    return StockList(items=[StockOut.model_validate(row) for row in rows])


@router.post("/{product_id}/counts", policy=needs("orders:write"), status_code=201)
async def count_stock(product_id: UUID, body: CountIn, tx: Write) -> ProductOut:
    """Correct the stock of a place to what was counted there."""
    product = await stock.count_stock(tx, product_id, place=body.place, counted=body.counted)
    return await _show(tx, product)


@router.put("/{product_id}/substitutes", policy=needs("orders:write"))
async def set_substitutes(product_id: UUID, body: SubstitutesIn, tx: Write) -> ProductList:
    """Say what may be sent instead of a product, the best first; what was said before is replaced."""
    made = await assortment.set_substitutes(tx, product_id, body.skus)
    return ProductList(items=await queries.show_products(tx, made))


@router.get("/{product_id}/substitutes", policy=needs("orders:read"))
async def list_substitutes(product_id: UUID, tx: Read) -> ProductList:
    """Return what may be sent instead of a product, the best first."""
    await queries.get_product(tx, product_id)
    named = (await queries.substitutes_of(tx, [product_id])).get(product_id, [])
    known = await queries.find_products(tx, named)
    return ProductList(items=await queries.show_products(tx, [known[one] for one in named]))


async def _show(tx: ReadTx, product: Product) -> ProductOut:
    (shown,) = await queries.show_products(tx, [product])
    return shown
