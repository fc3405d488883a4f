"""Ask the DNS about a domain that we send from, keep what it said, and tell others."""

from collections.abc import Sequence
from email.utils import parseaddr

from sqlalchemy.dialects.postgresql import insert

from kantis_kit.tx import Scope, Tx, read
from messaging_svc.relays.queries import list_relays
from messaging_svc.senders import events
from messaging_svc.senders.checking import Sending, check
from messaging_svc.senders.clients import Resolver
from messaging_svc.senders.model import sender_check
from messaging_svc.senders.schemas import Finding, SenderCheck
from messaging_svc.settings import MessagingSettings
from messaging_svc.wire.dkim import Signer


def own_domain(settings: MessagingSettings) -> str:
    """Return the domain that campaigns write from."""
    return parseaddr(settings.mail_from)[1].rpartition("@")[2].lower()


async def list_hosts(scope: Scope) -> list[str]:
    """Return the servers that take our mails."""
    async with read(scope) as tx:
        return [one.host for one in await list_relays(tx) if one.is_used]


async def ask(
    resolver: Resolver, settings: MessagingSettings, domain: str, hosts: Sequence[str]
) -> list[Finding]:
    """Ask the DNS now; nothing may be held meanwhile."""
    return await check(resolver, _sending(settings, domain, hosts))


def _sending(settings: MessagingSettings, domain: str, hosts: Sequence[str]) -> Sending:
    """Return how mails from a domain leave here: signed with our key where it is ours."""
    own = own_domain(settings)
    pem = settings.dkim_key.get_secret_value()
    signer = Signer.from_pem(own, settings.dkim_selector, pem.encode()) if pem else None
    envelope = settings.bounce_address.rpartition("@")[2] or own
    return Sending(domain.lower(), envelope.lower(), signer, hosts)


async def keep(tx: Tx, domain: str, findings: list[Finding]) -> SenderCheck:
    """Keep what was found, and tell it; the newest counts."""
    made = SenderCheck(
        domain=domain,
        is_good=not any(one.verdict in ("error", "unknown") for one in findings),
        findings=findings,
        checked_at=tx.clock.now(),
    )
    values = {
        "is_good": made.is_good,
        "findings": [one.model_dump() for one in findings],
        "checked_at": made.checked_at,
    }
    await tx.execute(
        insert(sender_check)
        .values(domain=domain, **values)
        .on_conflict_do_update(index_elements=["domain"], set_=values)
    )
    tx.stage(events.checked(made, is_ours=domain == own_domain(tx.settings(MessagingSettings))))
    return made
