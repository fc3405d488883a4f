"""News of where people live."""

from kantis_contracts.contacts import PersonChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from messaging_svc.letters import usecases


@consumes(PersonChangedV1, queue="messaging.letters")
async def on_persons_changed(tx: Tx, event: PersonChangedV1, _meta: Meta) -> None:
    """Keep where people live."""
    await usecases.keep_addresses(tx, event.items)
