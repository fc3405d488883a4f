"""What other services tell of people's doings; orders come in by way of `value`, which follows from them."""

from contacts_svc.facts import reversals, usecases
from contacts_svc.facts.credits import keep_credits
from contacts_svc.facts.responses import keep_responses
from contacts_svc.facts.returns import keep_returns
from kantis_contracts.messaging import LinkClickedV1, MessageOpenedV1, MessageSettledV1
from kantis_contracts.orders import (
    DunningChangedV1,
    InvoiceCreditedV1,
    InvoiceIssuedV1,
    OrderReturnedV1,
    PaymentBookedV1,
    PaymentReversedV1,
    ResponseRegisteredV1,
)
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx

QUEUE = "contacts.facts"


@consumes(InvoiceIssuedV1, queue=QUEUE, sink=True)
async def on_invoice_issued(tx: Tx, event: InvoiceIssuedV1, _meta: Meta) -> None:
    """Keep what people owe."""
    await usecases.keep_invoices(tx, event.items)


@consumes(InvoiceCreditedV1, queue=QUEUE, sink=True)
async def on_invoice_credited(tx: Tx, event: InvoiceCreditedV1, _meta: Meta) -> None:
    """Keep what people owe no longer."""
    await keep_credits(tx, event.items)


@consumes(PaymentBookedV1, queue=QUEUE, sink=True)
async def on_payment_booked(tx: Tx, event: PaymentBookedV1, _meta: Meta) -> None:
    """Keep what people have paid."""
    await usecases.keep_payments(tx, event.items)


@consumes(PaymentReversedV1, queue=QUEUE, sink=True)
async def on_payment_reversed(tx: Tx, event: PaymentReversedV1, _meta: Meta) -> None:
    """Keep what the bank took back of it."""
    await reversals.keep_reversals(tx, event.items)


@consumes(DunningChangedV1, queue=QUEUE, sink=True)
async def on_dunning_changed(tx: Tx, event: DunningChangedV1, _meta: Meta) -> None:
    """Keep whom the company reminds of what they owe."""
    await usecases.keep_dunning(tx, event.items)


@consumes(OrderReturnedV1, queue=QUEUE, sink=True)
async def on_order_returned(tx: Tx, event: OrderReturnedV1, _meta: Meta) -> None:
    """Keep what people sent back."""
    await keep_returns(tx, event.items)


@consumes(ResponseRegisteredV1, queue=QUEUE, sink=True)
async def on_response_registered(tx: Tx, event: ResponseRegisteredV1, _meta: Meta) -> None:
    """Keep what people answered."""
    await keep_responses(tx, event.items)


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
