"""Have our own domain checked once in a while, so that a launch knows what receivers will find."""

import asyncio
from datetime import timedelta

from kantis_kit import observability
from kantis_kit.db.database import is_away
from kantis_kit.service import Service
from kantis_kit.tx import Scope, read, write
from messaging_svc.senders import queries, usecases
from messaging_svc.senders.clients import DnsResolver
from messaging_svc.settings import MessagingSettings

log = observability.get_logger(__name__)

_ACTOR = "sender check"
_LOOK_SECONDS = 60.0
_NOBODYS = (
    ".example",
    ".test",
    ".invalid",
    ".localhost",
    "example.com",
    "example.org",
    "example.net",
)
"""Names that nobody can own. Source: RFC 2606 (2, 3), 2026-11."""  # fmt: skip


async def keep_checked(service: Service) -> None:
    """Look after the check of our own domain as long as the service runs."""
    settings = service.settings
    if not isinstance(settings, MessagingSettings) or not settings.sender_check_hours:
        return
    while True:
        try:
            await check_when_due(service.scope, settings)
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("senders.database_away", error=type(error).__name__)
        await asyncio.sleep(_LOOK_SECONDS)


async def check_when_due(scope: Scope, settings: MessagingSettings) -> bool:
    """Ask the DNS about our own domain when nobody has for long; say whether it was asked."""
    domain = usecases.own_domain(settings)
    # With name servers of its own a company may well have such names.
    if domain.endswith(_NOBODYS) and not settings.dns_servers:
        return False
    async with read(scope) as tx:
        held = await queries.find_check(tx, domain)
        resolver = tx.use(DnsResolver)
    old = scope.clock.now() - timedelta(hours=settings.sender_check_hours)
    if held is not None and held.checked_at > old:
        return False
    hosts = await usecases.list_hosts(scope)
    if not hosts:
        return False  # no mail leaves from here
    findings = await usecases.ask(resolver, settings, domain, hosts)
    async with write(scope, actor=_ACTOR) as tx:
        await usecases.keep(tx, domain, findings)
    return True
