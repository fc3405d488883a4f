"""What contacts-svc says about persons."""

from kantis_contracts.contacts import PersonChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from orders_svc.people import usecases


@consumes(PersonChangedV1, queue="orders.people")
async def on_persons_changed(tx: Tx, event: PersonChangedV1, _meta: Meta) -> None:
    """Refresh our copy."""
    await usecases.take_persons(tx, event.items)
