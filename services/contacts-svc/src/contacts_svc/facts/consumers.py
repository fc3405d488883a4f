"""What other services tell of people's doings."""

from contacts_svc.facts import usecases
from kantis_contracts.orders import OrderPaidV1, OrderPlacedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(OrderPlacedV1, queue="contacts.facts")
async def on_order_placed(tx: Tx, event: OrderPlacedV1, _meta: Meta) -> None:
    """Keep what conditions need of orders."""
    await usecases.keep_orders(tx, event.items, paid=False)


@consumes(OrderPaidV1, queue="contacts.facts")
async def on_order_paid(tx: Tx, event: OrderPaidV1, _meta: Meta) -> None:
    """Keep that orders were paid."""
    await usecases.keep_orders(tx, event.items, paid=True)
