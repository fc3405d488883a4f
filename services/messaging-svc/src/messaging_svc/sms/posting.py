"""What a provider posts to us, once it is sure that it is the provider."""

from fastapi import Request

from kantis_kit.tx import ReadTx
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms.errors import NotTheProvider
from messaging_svc.sms.providers.known import provider_of
from messaging_svc.sms.providers.port import Posted, Provider
from messaging_svc.webhooks import is_secret


async def accept(request: Request, tx: ReadTx, name: str, secret: str) -> tuple[Provider, Posted]:
    """Return the adapter and what was posted.

    Raises:
        NotTheProvider: the address is not one that we gave away; the same answer whatever is wrong with it.
        Unsigned: the signature does not hold.
    """
    settings = tx.settings(MessagingSettings)
    provider = provider_of(settings)
    agreed = settings.sms_webhook_secret.get_secret_value()
    if provider is None or provider.name != name or not is_secret(secret, agreed):
        raise NotTheProvider
    posted = Posted(
        await request.body(),
        {key.lower(): value for key, value in request.headers.items()},
        dict(request.query_params),
    )
    provider.check(posted, now=tx.clock.now())
    return provider, posted
