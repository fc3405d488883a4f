"""News of persons and permissions."""

from kantis_contracts.contacts import PermissionChangedV1, PersonChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from messaging_svc.dispatch.usecases import retry_waiting
from messaging_svc.register import usecases


@consumes(PersonChangedV1, queue="messaging.register")
async def on_persons_changed(tx: Tx, event: PersonChangedV1, _meta: Meta) -> None:
    """Keep the cards, and decide on messages that have waited for them."""
    await retry_waiting(tx, await usecases.keep_persons(tx, event.items))


@consumes(PermissionChangedV1, queue="messaging.register")
async def on_permissions_changed(tx: Tx, event: PermissionChangedV1, _meta: Meta) -> None:
    """Keep the permissions, and decide on messages that have waited for them."""
    await retry_waiting(tx, await usecases.keep_permissions(tx, event.items))
