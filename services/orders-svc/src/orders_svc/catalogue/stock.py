"""Move stock between the world and the places of the warehouse; every movement is written down and stays."""

from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.catalogue.errors import ProductNotFound, StockTooLow, WithoutStock
from orders_svc.catalogue.model import Product, Stock, StockMovement
from orders_svc.catalogue.schemas import ProductKind
from orders_svc.catalogue.usecases import freed, lock_products, tell


async def move_stock(
    tx: Tx, product_id: UUID, *, quantity: int, reason: str, place: str | None = None
) -> Product:
    """Book goods that came in or went out other than by an order; whoever waits for them gets them next.

    Raises:
        ProductNotFound: no product has this id.
        WithoutStock: it is a family or a bundle.
        StockTooLow: less would be left than is reserved, or than the place has; or the quantity is zero.
    """
    if quantity == 0:
        raise StockTooLow("A movement of nothing is none: give a quantity other than 0")
    product: Product | None = await tx.scalar(
        update(Product)
        .where(
            col(Product.product_id) == product_id,
            col(Product.on_hand) + quantity >= col(Product.reserved),
            col(Product.kind).in_([ProductKind.GOODS.value, ProductKind.MATERIAL.value]),
        )
        .values(on_hand=col(Product.on_hand) + quantity, version=col(Product.version) + 1)
        .returning(Product)
        .execution_options(populate_existing=True)
    )
    if product is None:
        raise _why_not(await tx.get(Product, product_id), product_id)
    if place is not None and quantity < 0:
        await _must_have(tx, product_id, place, -quantity)
    await _book(tx, product, quantity, reason, place)
    return product


async def count_stock(tx: Tx, product_id: UUID, *, place: str, counted: int) -> Product:
    """Correct what lies at a place to what was counted there; what was right already stays as it is.

    Raises:
        ProductNotFound: no product has this id.
        WithoutStock: it is a family or a bundle.
        StockTooLow: less would be left in all than is reserved.
    """
    product = (await lock_products(tx, [product_id])).get(product_id)
    if product is None or not product.has_stock:
        raise _why_not(product, product_id)
    missing = counted - await _on_hand(tx, product_id, place)
    if missing == 0:
        return product
    return await move_stock(tx, product_id, quantity=missing, reason="counted", place=place)


async def transfer_stock(
    tx: Tx, product_id: UUID, *, source: str, target: str, quantity: int
) -> None:
    """Book goods that were carried from one place to another; how many there are in all stays.

    Raises:
        ProductNotFound: no product has this id.
        StockTooLow: the place has not that many.
        Invalid: both places are the same.
    """
    if source == target:
        raise Invalid("to_place: it is where the goods are already")
    product = (await lock_products(tx, [product_id])).get(product_id)
    if product is None or not product.has_stock:
        raise _why_not(product, product_id)
    await _must_have(tx, product_id, source, quantity)
    now = tx.clock.now()
    tx.add_all(
        StockMovement(
            movement_id=new_id(),
            product_id=product_id,
            quantity=moved,
            reason="moved",
            moved_at=now,
            place=place,
        )
        for place, moved in ((source, -quantity), (target, quantity))
    )
    await tx.flush()  # the places are read next


async def _book(tx: Tx, product: Product, quantity: int, reason: str, place: str | None) -> None:
    tx.add(
        StockMovement(
            movement_id=new_id(),
            product_id=product.product_id,
            quantity=quantity,
            reason=reason,
            moved_at=tx.clock.now(),
            place=place,
        )
    )
    if quantity > 0:
        await freed(tx, [product])
    await tell(tx, [product])


async def _on_hand(tx: Tx, product_id: UUID, place: str) -> int:
    held: int | None = await tx.scalar(
        select(col(Stock.on_hand)).where(
            col(Stock.product_id) == product_id, col(Stock.place) == place
        )
    )
    return held or 0


async def _must_have(tx: Tx, product_id: UUID, place: str, quantity: int) -> None:
    held = await _on_hand(tx, product_id, place)
    if held < quantity:
        raise StockTooLow(
            f"{place} has {held}: at most that many can be taken from there", on_hand=held
        )


def _why_not(
    held: Product | None, product_id: UUID
) -> ProductNotFound | WithoutStock | StockTooLow:
    if held is None:
        return ProductNotFound(f"No product has the id {product_id}")
    if not held.has_stock:
        return WithoutStock(f"{held.sku} is a {held.kind}: book the stock of its parts or variants")
    return StockTooLow(
        f"{held.on_hand} on hand, {held.reserved} of them reserved: "
        f"at most {held.unreserved} can be taken out",
        on_hand=held.on_hand,
        reserved=held.reserved,
    )
