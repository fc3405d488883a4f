"""Events that become facts."""

from analytics_svc.facts import intake, usecases
from kantis_contracts.campaign import (
    CampaignLaunchedV1,
    PieceReleasedV1,
    StepRequestedV1,
    SurveyAnsweredV1,
)
from kantis_contracts.contacts import LeadReceivedV1, PermissionChangedV1
from kantis_contracts.messaging import (
    LetterIdentifiedV1,
    LinkClickedV1,
    MessageOpenedV1,
    MessageSettledV1,
    PermissionWithdrawnV1,
)
from kantis_contracts.orders import (
    DeadlineMissedV1,
    DeadlineNearedV1,
    DunningChangedV1,
    InvoiceCreditedV1,
    InvoiceIssuedV1,
    OrderCancelledV1,
    OrderChangedV1,
    OrderPaidV1,
    OrderPlacedV1,
    OrderReturnedV1,
    OrderShippedV1,
    OrderUnpaidV1,
    PaymentBookedV1,
    PaymentReversedV1,
    PostReturnedV1,
    ResponseRegisteredV1,
)
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx

QUEUE = "analytics.facts"


@consumes(CampaignLaunchedV1, queue=QUEUE)
async def on_campaign_launched(tx: Tx, event: CampaignLaunchedV1, _meta: Meta) -> None:
    """A campaign has been launched."""
    await usecases.know_campaign(tx, event)


@consumes(PieceReleasedV1, queue=QUEUE)
async def on_pieces_released(tx: Tx, event: PieceReleasedV1, meta: Meta) -> None:
    """Pieces may be sent."""
    await usecases.know_cell(tx, event)
    await usecases.record(tx, intake.released(event, meta.occurred_at))


@consumes(MessageSettledV1, queue=QUEUE)
async def on_messages_settled(tx: Tx, event: MessageSettledV1, _meta: Meta) -> None:
    """Messages were sent, or were not."""
    await usecases.record(tx, intake.settled(event.items))


@consumes(MessageOpenedV1, queue=QUEUE)
async def on_messages_opened(tx: Tx, event: MessageOpenedV1, _meta: Meta) -> None:
    """Messages were shown."""
    await usecases.record(tx, intake.engaged(event.items, kind="opening", person_kind="opener"))


@consumes(LinkClickedV1, queue=QUEUE)
async def on_links_clicked(tx: Tx, event: LinkClickedV1, _meta: Meta) -> None:
    """Links were followed."""
    await usecases.record(tx, intake.engaged(event.items, kind="click", person_kind="clicker"))


@consumes(PermissionWithdrawnV1, queue=QUEUE)
async def on_permissions_withdrawn(tx: Tx, event: PermissionWithdrawnV1, _meta: Meta) -> None:
    """People have said no."""
    await usecases.record(tx, intake.withdrawn(event.items))


@consumes(ResponseRegisteredV1, queue=QUEUE)
async def on_responses_registered(tx: Tx, event: ResponseRegisteredV1, _meta: Meta) -> None:
    """Pieces were answered."""
    await usecases.record(tx, intake.responded(event.items))


@consumes(DeadlineNearedV1, queue=QUEUE)
async def on_deadlines_neared(tx: Tx, event: DeadlineNearedV1, _meta: Meta) -> None:
    """Answers are due soon."""
    await usecases.record(tx, intake.awaited(event.items, "neared"))


@consumes(DeadlineMissedV1, queue=QUEUE)
async def on_deadlines_missed(tx: Tx, event: DeadlineMissedV1, _meta: Meta) -> None:
    """Answers are late."""
    await usecases.record(tx, intake.awaited(event.items, "missed"))


@consumes(OrderPlacedV1, queue=QUEUE)
async def on_orders_placed(tx: Tx, event: OrderPlacedV1, _meta: Meta) -> None:
    """Orders were placed."""
    await usecases.record(tx, intake.ordered(event.items, "placed"))


@consumes(OrderShippedV1, queue=QUEUE)
async def on_orders_shipped(tx: Tx, event: OrderShippedV1, _meta: Meta) -> None:
    """Orders are on their way."""
    await usecases.record(tx, intake.ordered(event.items, "shipped"))


@consumes(OrderCancelledV1, queue=QUEUE)
async def on_orders_cancelled(tx: Tx, event: OrderCancelledV1, _meta: Meta) -> None:
    """Orders were called off."""
    await usecases.record(tx, intake.ordered(event.items, "cancelled"))


@consumes(InvoiceIssuedV1, queue=QUEUE)
async def on_invoices_issued(tx: Tx, event: InvoiceIssuedV1, _meta: Meta) -> None:
    """Invoices were issued."""
    await usecases.record(tx, intake.invoiced(event.items))


@consumes(InvoiceCreditedV1, queue=QUEUE)
async def on_invoices_credited(tx: Tx, event: InvoiceCreditedV1, _meta: Meta) -> None:
    """Parts of invoices were taken back."""
    await usecases.record(tx, intake.credited(event.items))


@consumes(OrderPaidV1, queue=QUEUE)
async def on_orders_paid(tx: Tx, event: OrderPaidV1, _meta: Meta) -> None:
    """Orders were paid in full."""
    await usecases.record(tx, intake.ordered(event.items, "paid"))


@consumes(OrderUnpaidV1, queue=QUEUE)
async def on_orders_unpaid(tx: Tx, event: OrderUnpaidV1, _meta: Meta) -> None:
    """The bank took back what orders were paid with."""
    await usecases.record(tx, intake.ordered(event.items, "unpaid"))


@consumes(PaymentReversedV1, queue=QUEUE)
async def on_payments_reversed(tx: Tx, event: PaymentReversedV1, _meta: Meta) -> None:
    """Money was taken back."""
    await usecases.record(tx, intake.taken_back(event.items))


@consumes(PaymentBookedV1, queue=QUEUE)
async def on_payments_booked(tx: Tx, event: PaymentBookedV1, _meta: Meta) -> None:
    """Money has come in."""
    await usecases.record(tx, intake.booked(event.items))


@consumes(LeadReceivedV1, queue=QUEUE)
async def on_leads_received(tx: Tx, event: LeadReceivedV1, meta: Meta) -> None:
    """Web sites have posted leads."""
    await usecases.record(tx, intake.leads(event.items, meta.occurred_at))


@consumes(OrderChangedV1, queue=QUEUE)
async def on_orders_changed(tx: Tx, event: OrderChangedV1, _meta: Meta) -> None:
    """Orders have other lines than before."""
    await usecases.record(tx, intake.ordered(event.items, "changed"))


@consumes(OrderReturnedV1, queue=QUEUE)
async def on_orders_returned(tx: Tx, event: OrderReturnedV1, _meta: Meta) -> None:
    """Goods came back and were credited."""
    await usecases.record(tx, intake.sent_back(event.items))


@consumes(DunningChangedV1, queue=QUEUE)
async def on_dunning_changed(tx: Tx, event: DunningChangedV1, _meta: Meta) -> None:
    """Unpaid invoices are followed up, or no longer."""
    await usecases.record(tx, intake.dunned(event.items))


@consumes(PostReturnedV1, queue=QUEUE)
async def on_post_returned(tx: Tx, event: PostReturnedV1, _meta: Meta) -> None:
    """The post brought pieces back."""
    await usecases.record(tx, intake.came_back(event.items))


@consumes(LetterIdentifiedV1, queue=QUEUE)
async def on_letters_identified(tx: Tx, event: LetterIdentifiedV1, meta: Meta) -> None:
    """It became known which letters the post brought back."""
    await usecases.record(tx, intake.identified(event.items, meta.occurred_at))


@consumes(StepRequestedV1, queue=QUEUE)
async def on_steps_requested(tx: Tx, event: StepRequestedV1, meta: Meta) -> None:
    """Rules and programmes want messages."""
    await usecases.record(tx, intake.asked(event, meta.occurred_at))


@consumes(PermissionChangedV1, queue=QUEUE)
async def on_permissions_changed(tx: Tx, event: PermissionChangedV1, _meta: Meta) -> None:
    """People said yes or no."""
    await usecases.record(tx, intake.allowed(event.items))


@consumes(SurveyAnsweredV1, queue=QUEUE)
async def on_surveys_answered(tx: Tx, event: SurveyAnsweredV1, _meta: Meta) -> None:
    """People answered surveys."""
    await usecases.know_surveys(tx, event.items)
    await usecases.record(tx, intake.scored(event.items))
