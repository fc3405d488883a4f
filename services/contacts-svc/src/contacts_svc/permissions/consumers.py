"""What other services tell about permissions."""

from contacts_svc.permissions import usecases
from kantis_contracts.messaging import PermissionWithdrawnV1, WishStatedV1
from kantis_contracts.orders import OrderPlacedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(PermissionWithdrawnV1, queue="contacts.permissions")
async def on_permission_withdrawn(tx: Tx, event: PermissionWithdrawnV1, _meta: Meta) -> None:
    """Enter noes that were given where messages are sent."""
    await usecases.take_withdrawals(tx, event.items)


@consumes(WishStatedV1, queue="contacts.permissions")
async def on_wish_stated(tx: Tx, event: WishStatedV1, _meta: Meta) -> None:
    """Keep the topics and pauses that were said where messages are sent."""
    await usecases.take_stated(tx, event.items)


@consumes(OrderPlacedV1, queue="contacts.softoptin")
async def on_order_placed(tx: Tx, event: OrderPlacedV1, _meta: Meta) -> None:
    """Enter what sales allow."""
    await usecases.take_sales(tx, event.items)
