"""What became of the messages of steps."""

from campaign_svc.actions import usecases
from kantis_contracts.messaging import MessageSettledV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(MessageSettledV1, queue="campaign.actions")
async def on_messages_settled(tx: Tx, event: MessageSettledV1, _meta: Meta) -> None:
    """Messages were sent, or were not."""
    await usecases.settle_steps(tx, event.items)
