"""The loop that tells other systems what waits to be told."""

import asyncio

from campaign_svc.settings import CampaignSettings
from campaign_svc.webhooks import usecases
from kantis_kit import observability, webhooks
from kantis_kit.db.database import is_away
from kantis_kit.networks import networks
from kantis_kit.service import Service
from kantis_kit.tx import write

log = observability.get_logger(__name__)

IDLE_SECONDS = 0.5


async def send_webhooks(service: Service) -> None:
    """Tell for ever; a database that is away is waited for."""
    settings = service.settings
    assert isinstance(settings, CampaignSettings)  # noqa: S101 - narrows the type
    sender = webhooks.Sender(clock=service.scope.clock, allowed=networks(settings.webhook_networks))
    try:
        while True:
            try:
                done = await send_due(service, sender)
            except Exception as error:
                if not is_away(error):
                    log.exception("webhooks.failed", error=type(error).__name__)
                done = 0
            if not done:
                await asyncio.sleep(IDLE_SECONDS)
    finally:
        await sender.close()


async def send_due(service: Service, sender: webhooks.Sender) -> int:
    """Try what is due once; return how many it were."""
    async with write(service.scope, actor="webhooks") as tx:
        due = await usecases.claim(tx)
    if not due:
        return 0
    answers = await asyncio.gather(*(sender.send(one.target, str(one.id), one.body) for one in due))
    async with write(service.scope, actor="webhooks") as tx:
        await usecases.note_answers(tx, list(zip(due, answers, strict=True)))
    return len(due)
