"""Set goods aside for orders, take them out of stock, give them back.

Products are locked in the order of their ids before their stock is changed, so that orders for the same things wait for
each other in a line and never in a circle.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, select

from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.base import insert_all
from orders_svc.catalogue import events, queries
from orders_svc.catalogue.model import (
    BundlePart,
    Product,
    Reservation,
    ReservationState,
)
from orders_svc.catalogue.schemas import ProductKind

STOCK_TIMER = "orders.stock_arrived"
"""Set when goods come free; whoever waits for them gets them then."""


@dataclass(frozen=True, slots=True)
class Want:
    """Goods that an order asks for; each product once per order."""

    order_id: UUID
    product_id: UUID
    quantity: int


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

    An order gets all of its goods or none, and none that others wait for already. The products are locked from here to
    the commit, so let this be the last thing that a use case does with the database.
    """
    products = await lock_products(tx, [want.product_id for want in wants])
    short: set[UUID] = set()
    changed: dict[UUID, Product] = {}
    for order_id, goods in _by_order(wants).items():
        if any(products[want.product_id].available < want.quantity for want in goods):
            short.add(order_id)
            continue
        for want in goods:
            product = changed[want.product_id] = products[want.product_id]
            product.reserved += want.quantity
    if short:
        await tx.execute(delete(Reservation).where(col(Reservation.order_id).in_(short)))
    await _changed(tx, changed.values())
    return short


async def hold(tx: Tx, wants: Sequence[Want]) -> None:
    """Write down which goods orders ask for; `reserve` then says who gets them."""
    await _write(tx, wants, ReservationState.HELD)


async def queue(tx: Tx, wants: Sequence[Want]) -> None:
    """Let orders wait for goods: what comes is theirs before that of who asks later."""
    await _write(tx, wants, ReservationState.WAITING)
    products = await lock_products(tx, [want.product_id for want in wants])
    for want in wants:
        products[want.product_id].awaited += want.quantity
    await _changed(tx, products.values())


async def serve(tx: Tx, order_ids: Sequence[UUID]) -> list[UUID]:
    """Set goods aside for waiting orders, in the sequence in which they are given; return those that got theirs.

    Who stands further behind gets nothing of what somebody in front still waits for.
    """
    rows = await tx.execute(
        select(col(Reservation.order_id), col(Reservation.product_id), col(Reservation.quantity))
        .where(
            col(Reservation.order_id).in_(order_ids),
            col(Reservation.state) == ReservationState.WAITING.value,
        )
        .order_by(col(Reservation.order_id), col(Reservation.product_id))
        .with_for_update(key_share=True)
    )
    by_order: dict[UUID, list[Want]] = {order_id: [] for order_id in order_ids}
    for row in rows:
        by_order[row.order_id].append(Want(row.order_id, row.product_id, row.quantity))
    products = await lock_products(
        tx, [want.product_id for goods in by_order.values() for want in goods]
    )
    left = {
        one: product.unreserved if product.is_active else 0 for one, product in products.items()
    }
    served: dict[UUID, list[Want]] = {}
    for order_id, goods in by_order.items():
        if goods and all(left[want.product_id] >= want.quantity for want in goods):
            served[order_id] = goods
        for want in goods:
            left[want.product_id] -= want.quantity
    for want in (want for goods in served.values() for want in goods):
        products[want.product_id].reserved += want.quantity
        products[want.product_id].awaited -= want.quantity
    await tx.execute(
        update(Reservation)
        .where(
            col(Reservation.order_id).in_(served),
            col(Reservation.state) == ReservationState.WAITING.value,
        )
        .values(state=ReservationState.HELD.value)
    )
    touched = {want.product_id for goods in served.values() for want in goods}
    await _changed(tx, [products[one] for one in touched])
    return list(served)


async def exchange(tx: Tx, order_id: UUID, wanted: Mapping[UUID, int]) -> dict[UUID, int]:
    """Set other goods aside for an order than before; what it had counts as free for itself.

    Returns what there is too little of. An order that waited waits on, then, for the new goods; of one that had its
    goods nothing has changed.
    """
    rows = await tx.execute(
        select(col(Reservation.product_id), col(Reservation.quantity), col(Reservation.state))
        .where(
            col(Reservation.order_id) == order_id,
            col(Reservation.state).in_(
                [ReservationState.HELD.value, ReservationState.WAITING.value]
            ),
        )
        .order_by(col(Reservation.product_id))
        .with_for_update(key_share=True)
    )
    held: dict[UUID, int] = {}
    waited: dict[UUID, int] = {}
    for row in rows:
        side = held if row.state == ReservationState.HELD else waited
        side[row.product_id] = row.quantity
    products = await lock_products(tx, {*held, *waited, *wanted})
    for one, quantity in waited.items():
        products[one].awaited -= quantity
    free = {one: held.get(one, 0) + product.available for one, product in products.items()}
    short = {one: free[one] for one, quantity in wanted.items() if quantity > free[one]}
    if short and not waited:
        return short
    state = ReservationState.WAITING if short else ReservationState.HELD
    await tx.execute(delete(Reservation).where(col(Reservation.order_id) == order_id))
    await _write(tx, [Want(order_id, one, quantity) for one, quantity in wanted.items()], state)
    for one, product in products.items():
        product.reserved -= held.get(one, 0)
        if state is ReservationState.HELD:
            product.reserved += wanted.get(one, 0)
        else:
            product.awaited += wanted.get(one, 0)
    await freed(tx, products.values())
    await _changed(tx, products.values())
    return short


async def release(tx: Tx, order_ids: Sequence[UUID]) -> None:
    """Give the goods of orders back to sale, and to those first who wait for them; who waited waits no longer."""
    waited = await _finish(tx, order_ids, ReservationState.WAITING, ReservationState.RELEASED)
    held = await _finish(tx, order_ids, ReservationState.HELD, ReservationState.RELEASED)
    products = await lock_products(tx, [one.product_id for one in (*waited, *held)])
    for one in waited:
        products[one.product_id].awaited -= one.quantity
    for one in held:
        products[one.product_id].reserved -= one.quantity
    await freed(tx, products.values())
    await _changed(tx, products.values())


async def tell(tx: Tx, products: Collection[Product]) -> None:
    """Publish what products have become, and what bundles have become because of them."""
    listed = list({product.product_id: product for product in products}.values())
    parts = [product.product_id for product in listed if product.is_part]
    if parts:
        rows = await tx.scalars(
            update(Product)
            .where(
                col(Product.product_id).in_(
                    select(col(BundlePart.bundle_id)).where(col(BundlePart.product_id).in_(parts))
                )
            )
            .values(version=col(Product.version) + 1)
            .returning(Product)
            .execution_options(populate_existing=True)
        )
        listed += [one for one in rows if one.product_id not in {it.product_id for it in listed}]
    tx.stage(events.products_changed(listed, await _enough(tx, listed)))


async def _enough(tx: Tx, products: Sequence[Product]) -> dict[UUID, int]:
    if not any(product.kind == ProductKind.BUNDLE for product in products):
        return {}
    await tx.flush()  # of what has changed in this transaction the bundles are reckoned, too
    return await queries.bundle_stock(tx, products)


def _by_order(wants: Iterable[Want]) -> dict[UUID, list[Want]]:
    by_order: dict[UUID, list[Want]] = {}
    for want in wants:
        by_order.setdefault(want.order_id, []).append(want)
    return by_order


async def _write(tx: Tx, wants: Sequence[Want], state: ReservationState) -> None:
    rows = [
        {
            "order_id": want.order_id,
            "product_id": want.product_id,
            "quantity": want.quantity,
            "state": state.value,
        }
        for want in wants
    ]
    if rows:
        await tx.execute(insert_all(Reservation, rows))


async def _finish(
    tx: Tx, order_ids: Sequence[UUID], begins: ReservationState, ends: ReservationState
) -> list[Reservation]:
    return list(
        await tx.scalars(
            update(Reservation)
            .where(col(Reservation.order_id).in_(order_ids), col(Reservation.state) == begins.value)
            .values(state=ends.value)
            .returning(Reservation)
        )
    )


async def freed(tx: Tx, products: Iterable[Product]) -> None:
    """Let those who wait for these goods be served soon."""
    # A timer each, never one that is there: whoever serves those who wait holds its timer while it locks products.
    now = tx.clock.now()
    await tx.schedule_many(
        STOCK_TIMER,
        [(str(new_id()), now, {"product_id": str(one.product_id)}) for one in products],
    )


async def _changed(tx: Tx, products: Iterable[Product]) -> None:
    changed = list(products)
    for product in changed:
        product.version += 1
    await tell(tx, changed)
