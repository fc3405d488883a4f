"""Events that tell what receivers find of the domains that mails are from."""

from campaign_svc.senders import usecases
from kantis_contracts.messaging import SenderCheckedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(SenderCheckedV1, queue="campaign.senders")
async def on_senders_checked(tx: Tx, event: SenderCheckedV1, _meta: Meta) -> None:
    """The DNS was asked about our domains."""
    await usecases.keep_checks(tx, event.items)
