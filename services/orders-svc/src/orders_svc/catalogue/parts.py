"""Goods of an order that move in parts: some leave or are called off, the rest stays set aside; some come back."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.catalogue.model import Product, Reservation, ReservationState, StockMovement
from orders_svc.catalogue.usecases import Want, freed, lock_products, tell


async def consume_part(tx: Tx, wants: Sequence[Want]) -> None:
    """Take goods that were set aside for orders out of stock; what is left of them stays set aside."""
    await _end_part(tx, wants, ReservationState.CONSUMED)


async def release_part(tx: Tx, wants: Sequence[Want]) -> None:
    """Give goods that were set aside for orders back to sale; what is left of them stays set aside."""
    await _end_part(tx, wants, ReservationState.RELEASED)


async def restock(tx: Tx, wants: Sequence[Want]) -> None:
    """Put goods of orders that came back on the shelf again."""

    def put_back(product: Product, want: Want) -> None:
        product.on_hand += want.quantity
        tx.add(_moved(tx, want, want.quantity, "returned"))

    await _change(tx, wants, put_back, is_freed=True)


async def _end_part(tx: Tx, wants: Sequence[Want], state: ReservationState) -> None:
    held = {
        (row.order_id, row.product_id): row
        for row in await tx.scalars(
            select(Reservation)
            .where(col(Reservation.order_id).in_({want.order_id for want in wants}))
            .order_by(col(Reservation.order_id), col(Reservation.product_id))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    }
    for (order_id, product_id), quantity in _sums(wants).items():
        one = held[order_id, product_id]
        if one.quantity == quantity:
            one.state = state.value
        else:
            one.quantity -= quantity  # the database refuses less than one

    def take(product: Product, want: Want) -> None:
        product.reserved -= want.quantity
        if state is ReservationState.CONSUMED:
            product.on_hand -= want.quantity
            tx.add(_moved(tx, want, -want.quantity, "shipped"))

    await _change(tx, wants, take, is_freed=state is ReservationState.RELEASED)


async def _change(
    tx: Tx,
    wants: Sequence[Want],
    change: Callable[[Product, Want], None],
    *,
    is_freed: bool,
) -> None:
    products = await lock_products(tx, [want.product_id for want in wants])
    for (order_id, product_id), quantity in _sums(wants).items():
        change(products[product_id], Want(order_id, product_id, quantity))
    for product in products.values():
        product.version += 1
    if is_freed:
        await freed(tx, products.values())
    await tell(tx, list(products.values()))


def _sums(wants: Sequence[Want]) -> dict[tuple[UUID, UUID], int]:
    sums: dict[tuple[UUID, UUID], int] = {}
    for want in wants:
        key = (want.order_id, want.product_id)
        sums[key] = sums.get(key, 0) + want.quantity
    return sums


def _moved(tx: Tx, want: Want, quantity: int, reason: str) -> StockMovement:
    return StockMovement(
        movement_id=new_id(),
        product_id=want.product_id,
        quantity=quantity,
        reason=reason,
        order_id=want.order_id,
        moved_at=tx.clock.now(),
    )
