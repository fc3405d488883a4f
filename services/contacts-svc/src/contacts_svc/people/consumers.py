"""What became of messages tells whether the next one will arrive."""

from contacts_svc.people.reachability import Outcome
from contacts_svc.people.usecases import reach, returned_post
from kantis_contracts.messaging import (
    AddressReportedV1,
    LinkClickedV1,
    MessageOpenedV1,
    MessageSettledV1,
    ReplyReceivedV1,
)
from kantis_contracts.orders import PostReturnedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(MessageSettledV1, queue="contacts.reach")
async def on_messages_settled(tx: Tx, event: MessageSettledV1, _meta: Meta) -> None:
    """Learn from those that a carrier has refused."""
    await reach.take_settled(tx, event.items)


@consumes(MessageOpenedV1, queue="contacts.reach")
async def on_messages_opened(tx: Tx, event: MessageOpenedV1, _meta: Meta) -> None:
    """Learn from those that people have opened."""
    await reach.take_engagements(tx, event.items, Outcome.OPENED)


@consumes(LinkClickedV1, queue="contacts.reach")
async def on_links_clicked(tx: Tx, event: LinkClickedV1, _meta: Meta) -> None:
    """Learn from those of which people have followed a link."""
    await reach.take_engagements(tx, event.items, Outcome.CLICKED)


@consumes(AddressReportedV1, queue="contacts.reach")
async def on_addresses_reported(tx: Tx, event: AddressReportedV1, _meta: Meta) -> None:
    """Learn from those that arrived or came back later, and forget what was taken back."""
    await reach.take_reports(tx, event.items)


@consumes(ReplyReceivedV1, queue="contacts.reach")
async def on_replies_received(tx: Tx, event: ReplyReceivedV1, _meta: Meta) -> None:
    """Learn from those that people have answered."""
    await reach.take_replies(tx, event.items)


@consumes(PostReturnedV1, queue="contacts.reach")
async def on_post_returned(tx: Tx, event: PostReturnedV1, _meta: Meta) -> None:
    """Learn from post that came back, and where people have moved."""
    await returned_post.take(tx, event.items)
