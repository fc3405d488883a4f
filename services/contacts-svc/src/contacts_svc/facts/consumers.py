"""What other services tell of people's doings."""

from contacts_svc.facts import usecases
from contacts_svc.facts.usecases import OrderStep
from kantis_contracts.messaging import LinkClickedV1, MessageOpenedV1, MessageSettledV1
from kantis_contracts.orders import (
    InvoiceIssuedV1,
    OrderPaidV1,
    OrderPlacedV1,
    OrderShippedV1,
    PaymentBookedV1,
    ResponseRegisteredV1,
)
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx

QUEUE = "contacts.facts"


@consumes(OrderPlacedV1, queue=QUEUE)
async def on_order_placed(tx: Tx, event: OrderPlacedV1, _meta: Meta) -> None:
    """Keep what conditions need of orders."""
    await usecases.keep_orders(tx, event.items, OrderStep.PLACED)


@consumes(OrderPaidV1, queue=QUEUE)
async def on_order_paid(tx: Tx, event: OrderPaidV1, _meta: Meta) -> None:
    """Keep that orders were paid."""
    await usecases.keep_orders(tx, event.items, OrderStep.PAID)


@consumes(OrderShippedV1, queue=QUEUE)
async def on_order_shipped(tx: Tx, event: OrderShippedV1, _meta: Meta) -> None:
    """Keep that orders are on their way."""
    await usecases.keep_orders(tx, event.items, OrderStep.SHIPPED)


@consumes(InvoiceIssuedV1, queue=QUEUE, sink=True)
async def on_invoice_issued(tx: Tx, event: InvoiceIssuedV1, _meta: Meta) -> None:
    """Keep what people owe."""
    await usecases.keep_invoices(tx, event.items)


@consumes(PaymentBookedV1, queue=QUEUE, sink=True)
async def on_payment_booked(tx: Tx, event: PaymentBookedV1, _meta: Meta) -> None:
    """Keep what people have paid."""
    await usecases.keep_payments(tx, event.items)


@consumes(ResponseRegisteredV1, queue=QUEUE, sink=True)
async def on_response_registered(tx: Tx, event: ResponseRegisteredV1, _meta: Meta) -> None:
    """Keep what people answered."""
    await usecases.keep_responses(tx, event.items)


@consumes(MessageSettledV1, queue=QUEUE, sink=True)
async def on_message_settled(tx: Tx, event: MessageSettledV1, _meta: Meta) -> None:
    """Keep how messages ended."""
    await usecases.keep_messages(tx, event.items)


@consumes(MessageOpenedV1, queue=QUEUE, sink=True)
async def on_message_opened(tx: Tx, event: MessageOpenedV1, _meta: Meta) -> None:
    """Keep which messages were opened."""
    await usecases.keep_engagements(tx, event.items, clicked=False)


@consumes(LinkClickedV1, queue=QUEUE, sink=True)
async def on_link_clicked(tx: Tx, event: LinkClickedV1, _meta: Meta) -> None:
    """Keep which links were followed."""
    await usecases.keep_engagements(tx, event.items, clicked=True)
