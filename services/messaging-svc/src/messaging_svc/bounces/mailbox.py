"""Bounces are fetched from the mailbox that they come to."""

import asyncio

from kantis_kit.auth.links import LinkSigner
from kantis_kit.service import Service
from kantis_kit.tx import Tx
from messaging_svc.bounces import usecases
from messaging_svc.bounces.parsing import Clipping, read_mail
from messaging_svc.mailboxes.fetching import fetch
from messaging_svc.mailboxes.imap import Account
from messaging_svc.settings import MessagingSettings


def account_of(settings: MessagingSettings) -> Account | None:
    """Return the mailbox of bounces; None where nobody looks into it from here."""
    if not settings.bounce_imap_host:
        return None
    return Account(
        host=settings.bounce_imap_host,
        port=settings.bounce_imap_port,
        tls=settings.bounce_imap_tls,
        user=settings.bounce_imap_user,
        folder=settings.bounce_imap_folder,
        done_folder=settings.bounce_imap_done_folder,
        timeout_seconds=settings.bounce_imap_timeout_seconds,
        password=settings.bounce_imap_password.get_secret_value(),
    )


class ReturnedMail(Clipping):
    """A mail that came back."""

    async def take(self, tx: Tx) -> None:
        """Count what it says of our messages."""
        signer, now = tx.use(LinkSigner), tx.clock.now()
        await usecases.take(tx, await asyncio.to_thread(read_mail, self, signer, now=now))


async def fetch_bounces(service: Service) -> None:
    """Look into the mailbox of bounces as long as the service runs."""
    settings = service.settings
    account = account_of(settings) if isinstance(settings, MessagingSettings) else None
    if isinstance(settings, MessagingSettings) and account is not None:
        pause = settings.bounce_imap_seconds
        await fetch(service.scope, account, ReturnedMail, pause_seconds=pause)
