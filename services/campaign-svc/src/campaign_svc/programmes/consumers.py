"""What other services tell, in the words of programmes."""

from campaign_svc.programmes import occurrences
from campaign_svc.programmes.usecases import asking, hearing, knowing
from kantis_contracts.contacts import (
    ConditionJudgedV1,
    InsightChangedV1,
    LeadReceivedV1,
    PersonChangedV1,
    SegmentChange,
    SegmentChangedV1,
)
from kantis_contracts.messaging import (
    CallEndedV1,
    LinkClickedV1,
    MessageOpenedV1,
    ReplyReceivedV1,
)
from kantis_contracts.orders import (
    OrderCancelledV1,
    OrderDeliveredV1,
    OrderPaidV1,
    OrderPlacedV1,
    OrderShippedV1,
)
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx

QUEUE = "campaign.programmes"


@consumes(PersonChangedV1, queue=QUEUE)
async def on_persons_changed(tx: Tx, event: PersonChangedV1, _meta: Meta) -> None:
    """Keep where people live."""
    await knowing.keep_zones(tx, event.items)


@consumes(SegmentChangedV1, queue=QUEUE)
async def on_segment_changed(tx: Tx, event: SegmentChangedV1, _meta: Meta) -> None:
    """Somebody came into a segment or left it."""
    await knowing.follow_members(tx, event)
    if any(move.change is SegmentChange.BUILT for move in event.items):
        await asking.take_built(tx, event.segment_id)
    await hearing.take(tx, occurrences.of_moves(event))


@consumes(ConditionJudgedV1, queue=QUEUE)
async def on_conditions_judged(tx: Tx, event: ConditionJudgedV1, _meta: Meta) -> None:
    """The register has looked at conditions of branches."""
    await asking.take_verdicts(tx, event.items)


@consumes(LeadReceivedV1, queue=QUEUE)
async def on_leads_received(tx: Tx, event: LeadReceivedV1, meta: Meta) -> None:
    """Forms have brought leads."""
    await hearing.take(tx, occurrences.of_leads(event.items, meta.occurred_at))


@consumes(InsightChangedV1, queue=QUEUE)
async def on_insights_changed(tx: Tx, event: InsightChangedV1, _meta: Meta) -> None:
    """Needs and objections were learned."""
    await knowing.keep_needs(tx, event.items)
    await hearing.take(tx, occurrences.of_insights(event.items))


@consumes(OrderPlacedV1, queue=QUEUE)
async def on_orders_placed(tx: Tx, event: OrderPlacedV1, _meta: Meta) -> None:
    """Orders have been placed."""
    await hearing.take(tx, occurrences.of_orders("placed", event.items))


@consumes(OrderShippedV1, queue=QUEUE)
async def on_orders_shipped(tx: Tx, event: OrderShippedV1, _meta: Meta) -> None:
    """Orders are on their way."""
    await hearing.take(tx, occurrences.of_orders("shipped", event.items))


@consumes(OrderDeliveredV1, queue=QUEUE)
async def on_orders_delivered(tx: Tx, event: OrderDeliveredV1, _meta: Meta) -> None:
    """Orders have arrived."""
    await hearing.take(tx, occurrences.of_orders("delivered", event.items))


@consumes(OrderPaidV1, queue=QUEUE)
async def on_orders_paid(tx: Tx, event: OrderPaidV1, _meta: Meta) -> None:
    """Orders have been paid."""
    await hearing.take(tx, occurrences.of_orders("paid", event.items))


@consumes(OrderCancelledV1, queue=QUEUE)
async def on_orders_cancelled(tx: Tx, event: OrderCancelledV1, _meta: Meta) -> None:
    """Orders have been called off."""
    await hearing.take(tx, occurrences.of_orders("cancelled", event.items))


@consumes(MessageOpenedV1, queue=QUEUE)
async def on_messages_opened(tx: Tx, event: MessageOpenedV1, _meta: Meta) -> None:
    """Messages have been looked at."""
    await hearing.take(tx, occurrences.of_engagements("message.opened", event.items))


@consumes(LinkClickedV1, queue=QUEUE)
async def on_links_clicked(tx: Tx, event: LinkClickedV1, _meta: Meta) -> None:
    """Links have been followed."""
    await hearing.take(tx, occurrences.of_engagements("link.clicked", event.items))


@consumes(ReplyReceivedV1, queue=QUEUE)
async def on_replies_received(tx: Tx, event: ReplyReceivedV1, _meta: Meta) -> None:
    """People have written to us."""
    await hearing.take(tx, occurrences.of_replies(event.items))


@consumes(CallEndedV1, queue=QUEUE)
async def on_calls_ended(tx: Tx, event: CallEndedV1, _meta: Meta) -> None:
    """Calls have ended."""
    await hearing.take(tx, occurrences.of_calls(event.items))
