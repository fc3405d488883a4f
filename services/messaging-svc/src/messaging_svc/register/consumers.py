"""News of persons, permissions, wishes and suppressions."""

from kantis_contracts.contacts import (
    PermissionChangedV1,
    PersonChangedV1,
    PreferenceChangedV1,
    SuppressionChangedV1,
)
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from messaging_svc.dispatch.news import retry_waiting
from messaging_svc.register import usecases


@consumes(PersonChangedV1, queue="messaging.register")
async def on_persons_changed(tx: Tx, event: PersonChangedV1, _meta: Meta) -> None:
    """Keep the cards, and decide on messages that have waited for them."""
    await retry_waiting(tx, await usecases.keep_persons(tx, event.items))


@consumes(PermissionChangedV1, queue="messaging.register")
async def on_permissions_changed(tx: Tx, event: PermissionChangedV1, _meta: Meta) -> None:
    """Keep the permissions, and decide on messages that have waited for them."""
    await retry_waiting(tx, await usecases.keep_permissions(tx, event.items))


@consumes(PreferenceChangedV1, queue="messaging.register", sink=True)
async def on_preferences_changed(tx: Tx, event: PreferenceChangedV1, _meta: Meta) -> None:
    """Keep how people want to be written to, and ask again for messages that wait for an hour."""
    await retry_waiting(tx, await usecases.keep_wishes(tx, event.items))


@consumes(SuppressionChangedV1, queue="messaging.register", sink=True)
async def on_suppressions_changed(tx: Tx, event: SuppressionChangedV1, _meta: Meta) -> None:
    """Keep which addresses get nothing that advertises, and in which scope."""
    await usecases.keep_suppressions(tx, event.items)
