"""What became of messages tells whether the next one will arrive."""

from contacts_svc.people.reachability import Outcome
from contacts_svc.people.usecases import reach
from kantis_contracts.messaging import LinkClickedV1, MessageOpenedV1, MessageSettledV1
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
