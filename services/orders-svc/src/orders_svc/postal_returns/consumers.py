"""Whose letters came back, as messaging-svc knows it."""

from kantis_contracts.messaging import LetterIdentifiedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from orders_svc.postal_returns import usecases


@consumes(LetterIdentifiedV1, queue="orders.postal_returns")
async def on_letters_identified(tx: Tx, event: LetterIdentifiedV1, _meta: Meta) -> None:
    """Letters have been recognised by their return marks, or are known to nobody."""
    await usecases.identify(tx, event.items)
