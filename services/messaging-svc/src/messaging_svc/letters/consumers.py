"""News of where people live, and of letters that came back."""

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import PostReturnedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from messaging_svc.letters import usecases


@consumes(PersonChangedV1, queue="messaging.letters")
async def on_persons_changed(tx: Tx, event: PersonChangedV1, _meta: Meta) -> None:
    """Keep where people live."""
    await usecases.keep_addresses(tx, event.items)


@consumes(PostReturnedV1, queue="messaging.letters")
async def on_post_returned(tx: Tx, event: PostReturnedV1, _meta: Meta) -> None:
    """Look up whose letters came back, of those that nobody else knows."""
    await usecases.identify(tx, event.items)
