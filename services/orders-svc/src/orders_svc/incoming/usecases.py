"""Enter what is on its way, and take it in."""

from uuid import UUID

from sqlmodel import col, select

from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.catalogue.queries import find_by_sku
from orders_svc.catalogue.stock import move_stock
from orders_svc.incoming.errors import DeliveryNotFound
from orders_svc.incoming.model import Delivery
from orders_svc.incoming.schemas import DeliveryIn, DeliveryPatch, ReceiptIn

PROMISE_TIMER = "orders.delivery_changed"
"""Set when something is expected on another day; whoever waits for it is told."""


async def expect_delivery(tx: Tx, given: DeliveryIn) -> Delivery:
    """Enter goods that are on their way. Raises `Invalid` when the sku is of no product with stock."""
    product = (await find_by_sku(tx, [given.sku])).get(given.sku)
    if product is None or not product.has_stock:
        message = f"{given.sku} is no product with stock of its own"
        raise Invalid(
            f"sku: {message}", errors=[{"in": "body", "field": "sku", "message": message}]
        )
    delivery = Delivery(
        delivery_id=new_id(), product_id=product.product_id, **given.model_dump(exclude={"sku"})
    )
    tx.add(delivery)
    await _expected_anew(tx, delivery)
    return delivery


async def change_delivery(tx: Tx, delivery_id: UUID, patch: DeliveryPatch) -> Delivery:
    """Note that a delivery comes on another day, or with more or less.

    Raises:
        DeliveryNotFound: no delivery has this id.
        DeliveryClosed: it has come.
    """
    delivery = await _lock(tx, delivery_id)
    delivery.must_be_open()
    for name, value in patch.model_dump(exclude_none=True).items():
        setattr(delivery, name, value)
    delivery.is_closed = delivery.received >= delivery.quantity
    await _expected_anew(tx, delivery)
    return delivery


async def receive_delivery(tx: Tx, delivery_id: UUID, receipt: ReceiptIn) -> Delivery:
    """Take in what has come; whoever waits for it gets it next.

    Raises:
        DeliveryNotFound: no delivery has this id.
        DeliveryClosed: all of it has come.
    """
    delivery = await _lock(tx, delivery_id)
    delivery.receive(receipt.quantity, is_last=receipt.is_last)
    if receipt.quantity:
        reason = f"delivery {delivery.reference}".strip()
        await move_stock(
            tx,
            delivery.product_id,
            quantity=receipt.quantity,
            reason=reason,
            place=receipt.place,
        )
    return delivery


async def _expected_anew(tx: Tx, delivery: Delivery) -> None:
    await tx.schedule(
        PROMISE_TIMER, str(new_id()), tx.clock.now(), {"product_id": str(delivery.product_id)}
    )


async def _lock(tx: Tx, delivery_id: UUID) -> Delivery:
    delivery: Delivery | None = await tx.scalar(
        select(Delivery).where(col(Delivery.delivery_id) == delivery_id).with_for_update()
    )
    if delivery is None:
        raise DeliveryNotFound(f"No delivery has the id {delivery_id}")
    return delivery
