"""The providers that there are adapters for, by their names."""

from collections.abc import Callable, Mapping

from messaging_svc.settings import MessagingSettings
from messaging_svc.sms.providers.elks46 import Elks46
from messaging_svc.sms.providers.generic import Generic
from messaging_svc.sms.providers.link import Link
from messaging_svc.sms.providers.port import Provider
from messaging_svc.sms.providers.sinch import Sinch

PROVIDERS: Mapping[str, Callable[[MessagingSettings], Provider]] = {
    Elks46.name: Elks46,
    Sinch.name: Sinch,
    Link.name: Link,
    Generic.name: Generic,
}


def provider_of(settings: MessagingSettings) -> Provider | None:
    """Return the adapter of the provider that is set, or None when none is."""
    make = PROVIDERS.get(settings.sms_provider)
    return make(settings) if make else None
