"""What people answer by mail is fetched from the mailbox that it comes to."""

import asyncio

from kantis_kit.service import Service
from kantis_kit.tx import Tx
from messaging_svc.bounces.mailbox import ReturnedMail
from messaging_svc.conversations.mails import Whole, read_mail
from messaging_svc.conversations.usecases.mails import own_addresses, take_mail
from messaging_svc.mailboxes.fetching import fetch
from messaging_svc.mailboxes.imap import Account
from messaging_svc.settings import MessagingSettings


def account_of(settings: MessagingSettings) -> Account | None:
    """Return the mailbox of replies; None where nobody looks into it from here."""
    if not settings.reply_imap_host:
        return None
    return Account(
        host=settings.reply_imap_host,
        port=settings.reply_imap_port,
        tls=settings.reply_imap_tls,
        user=settings.reply_imap_user,
        folder=settings.reply_imap_folder,
        done_folder=settings.reply_imap_done_folder,
        timeout_seconds=settings.reply_imap_timeout_seconds,
        password=settings.reply_imap_password.get_secret_value(),
    )


class Incoming:
    """A mail to an address of ours: of a person, or of a server that returns one of our messages."""

    def __init__(self) -> None:
        self._whole, self._returned = Whole(), ReturnedMail()

    def feed(self, part: bytes) -> None:
        """Take the next part."""
        self._whole.feed(part)
        self._returned.feed(part)

    async def take(self, tx: Tx) -> None:
        """Have it stand in its conversation; what a machine wrote is looked at as what has come back."""
        ours = own_addresses(tx.settings(MessagingSettings))
        posted = await asyncio.to_thread(read_mail, self._whole, ours=ours)
        if posted.author in ("machine", "nobody"):
            await self._returned.take(tx)
        else:
            await take_mail(tx, posted)


async def fetch_replies(service: Service) -> None:
    """Look into the mailbox of replies as long as the service runs."""
    settings = service.settings
    account = account_of(settings) if isinstance(settings, MessagingSettings) else None
    if isinstance(settings, MessagingSettings) and account is not None:
        pause = settings.reply_imap_seconds
        await fetch(service.scope, account, Incoming, pause_seconds=pause)
