"""What others ask about templates."""

from kantis_contracts.campaign import PreflightRequestedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from messaging_svc.templates import preflights


@consumes(PreflightRequestedV1, queue="messaging.templates")
async def on_preflights_requested(tx: Tx, event: PreflightRequestedV1, _meta: Meta) -> None:
    """Check the templates of campaigns that are about to be launched."""
    await preflights.answer_preflights(tx, event.items)
