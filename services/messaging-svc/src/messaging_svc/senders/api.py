"""Checks of sender domains at the API."""

from typing import Annotated

from fastapi import Path, Request
from pydantic import StringConstraints

from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router
from kantis_kit.web.state import runtime_of
from messaging_svc.senders import queries, usecases
from messaging_svc.senders.clients import DnsResolver
from messaging_svc.senders.schemas import SenderCheck
from messaging_svc.settings import MessagingSettings

router = Router(prefix="/v1/senders", tags=["senders"])
Domain = Annotated[
    str, StringConstraints(to_lower=True), Path(max_length=253, pattern=r"^[A-Za-z0-9.-]+$")
]


@router.get("/{domain}/check", policy=needs("messaging:read"))
async def get_check(domain: Domain, tx: Read) -> SenderCheck:
    """Return what the DNS said of a domain when it was asked last: SPF, DKIM, DMARC, and whether they fit together."""
    return await queries.get_check(tx, domain)


@router.post("/{domain}/check", policy=needs("messaging:write"))
async def check_sender(domain: Domain, request: Request, tx: Write) -> SenderCheck:
    """Ask the DNS now whether mails from this domain will be believed to be from it."""
    hosts = await usecases.list_hosts(runtime_of(request).scope)
    settings = tx.settings(MessagingSettings)
    findings = await usecases.ask(tx.use(DnsResolver), settings, domain, hosts)
    return await usecases.keep(tx, domain, findings)
