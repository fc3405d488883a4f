"""Make products, move stock, set goods aside for orders.

Products are locked in the order of their ids before their stock is changed, so that orders for the same things wait for
each other in a line and never in a circle.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.catalogue import events
from orders_svc.catalogue.errors import ProductNotFound, SkuTaken, StockTooLow
from orders_svc.catalogue.model import Product, Reservation, ReservationState, StockMovement
from orders_svc.catalogue.schemas import ProductIn, ProductPatch


@dataclass(frozen=True, slots=True)
class Want:
    """Goods that an order asks for; each product once per order."""

    order_id: UUID
    product_id: UUID
    quantity: int


async def create_products(tx: Tx, wanted: Sequence[ProductIn]) -> list[Product]:
    """Make products, with the stock that they begin with; all of them or none.

    Raises:
        SkuTaken: a product has one of the skus already, or it is named twice.
    """
    made = [
        {
            "product_id": new_id(),
            "version": 1,
            "reserved": 0,
            "on_hand": one.initial_stock,
            **one.model_dump(exclude={"initial_stock"}),
        }
        for one in wanted
    ]
    rows = await tx.scalars(
        insert(Product).values(made).on_conflict_do_nothing().returning(Product)
    )
    products = {product.sku: product for product in rows}
    taken = sorted({one.sku for one in wanted} - set(products))
    if taken or len(products) < len(wanted):
        names = ", ".join(taken) or "one of them is named twice"
        raise SkuTaken(f"Choose other skus, each once: {names}", skus=taken)
    result = [products[one.sku] for one in wanted]
    tx.add_all(
        _movement(tx, product.product_id, product.on_hand, "initial stock")
        for product in result
        if product.on_hand
    )
    tx.stage(events.products_changed(result))
    return result


async def change_product(tx: Tx, product: Product, patch: ProductPatch) -> Product:
    """Change what is said about a product that the caller has locked."""
    for name, value in patch.model_dump(exclude_none=True).items():
        setattr(product, name, value)
    product.version += 1
    tx.stage(events.products_changed([product]))
    return product


async def move_stock(tx: Tx, product_id: UUID, *, quantity: int, reason: str) -> Product:
    """Book goods that came in or went out other than by an order.

    Raises:
        ProductNotFound: no product has this id.
        StockTooLow: less would be left than is reserved, or the quantity is zero.
    """
    if quantity == 0:
        raise StockTooLow("A movement of nothing is none: give a quantity other than 0")
    product: Product | None = await tx.scalar(
        update(Product)
        .where(
            col(Product.product_id) == product_id,
            col(Product.on_hand) + quantity >= col(Product.reserved),
        )
        .values(on_hand=col(Product.on_hand) + quantity, version=col(Product.version) + 1)
        .returning(Product)
    )
    if product is None:
        held = await tx.get(Product, product_id)
        if held is None:
            raise ProductNotFound(f"No product has the id {product_id}")
        raise StockTooLow(
            f"{held.on_hand} on hand, {held.reserved} of them reserved: "
            f"at most {held.on_hand - held.reserved} can be taken out",
            on_hand=held.on_hand,
            reserved=held.reserved,
        )
    tx.add(_movement(tx, product_id, quantity, reason))
    tx.stage(events.products_changed([product]))
    return product


async def lock_products(tx: Tx, product_ids: Iterable[UUID]) -> dict[UUID, Product]:
    """Return products locked until the end of the transaction, in the one order that everybody uses.

    Lines and reservations that refer to a product are still let in: a lock against those, too, would meet itself when
    two orders for the same product are written at once.
    """
    rows = await tx.scalars(
        select(Product)
        .where(col(Product.product_id).in_(set(product_ids)))
        .order_by(col(Product.product_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {product.product_id: product for product in rows}


async def reserve(tx: Tx, wants: Sequence[Want]) -> set[UUID]:
    """Set goods aside for orders, first come first served; return the orders for which there is too little.

    An order gets all of its goods or none. The products are locked from here to the commit, so let this be the last
    thing that a use case does with the database.
    """
    products = await lock_products(tx, [want.product_id for want in wants])
    by_order: dict[UUID, list[Want]] = {}
    for want in wants:
        by_order.setdefault(want.order_id, []).append(want)
    short: set[UUID] = set()
    changed: dict[UUID, Product] = {}
    for order_id, goods in by_order.items():
        if any(products[want.product_id].available < want.quantity for want in goods):
            short.add(order_id)
            continue
        for want in goods:
            product = changed[want.product_id] = products[want.product_id]
            product.reserved += want.quantity
    for product in changed.values():
        product.version += 1
    if short:
        await tx.execute(delete(Reservation).where(col(Reservation.order_id).in_(short)))
    tx.stage(events.products_changed(changed.values()))
    return short


async def hold(tx: Tx, wants: Sequence[Want]) -> None:
    """Write down which goods orders ask for; `reserve` then says who gets them."""
    rows = [
        {
            "order_id": want.order_id,
            "product_id": want.product_id,
            "quantity": want.quantity,
            "state": ReservationState.HELD.value,
        }
        for want in wants
    ]
    await tx.execute(insert(Reservation), rows)


async def consume(tx: Tx, order_ids: Sequence[UUID]) -> None:
    """Take the goods of orders out of stock: reserved becomes a movement."""
    await _end(tx, order_ids, ReservationState.CONSUMED)


async def release(tx: Tx, order_ids: Sequence[UUID]) -> None:
    """Give the goods of orders back to sale."""
    await _end(tx, order_ids, ReservationState.RELEASED)


async def _end(tx: Tx, order_ids: Sequence[UUID], state: ReservationState) -> None:
    ended = list(
        await tx.scalars(
            update(Reservation)
            .where(
                col(Reservation.order_id).in_(order_ids),
                col(Reservation.state) == ReservationState.HELD.value,
            )
            .values(state=state.value)
            .returning(Reservation)
        )
    )
    products = await lock_products(tx, [one.product_id for one in ended])
    for one in ended:
        product = products[one.product_id]
        product.reserved -= one.quantity
        if state is ReservationState.CONSUMED:
            product.on_hand -= one.quantity
            tx.add(_movement(tx, one.product_id, -one.quantity, "shipped", one.order_id))
    for product in products.values():
        product.version += 1
    tx.stage(events.products_changed(products.values()))


def _movement(
    tx: Tx, product_id: UUID, quantity: int, reason: str, order_id: UUID | None = None
) -> StockMovement:
    return StockMovement(
        movement_id=new_id(),
        product_id=product_id,
        quantity=quantity,
        reason=reason,
        order_id=order_id,
        moved_at=tx.clock.now(),
    )
