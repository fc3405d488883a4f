"""E-mail as a channel: letters, over SMTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kantis_contracts.values import Channel
from kantis_kit import observability
from kantis_kit.service import Service
from kantis_kit.tx import Tx
from messaging_svc.dispatch.letters import Item, Letters
from messaging_svc.dispatch.mime import Letterhead
from messaging_svc.dispatch.sender import run_sender
from messaging_svc.dispatch.smtp import Connection, Server
from messaging_svc.links import LinkMaker
from messaging_svc.settings import MessagingSettings
from messaging_svc.verp import ReturnPath

log = observability.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail and its envelope."""

    sender: str
    recipient: str
    content: bytes


class MailLine:
    """A connection to the mail server, opened when it is needed."""

    def __init__(self, server: Server) -> None:
        self._connection = Connection(server)

    @property
    def is_open(self) -> bool:
        """Say whether commands can be sent."""
        return self._connection.is_open

    async def begin(self, message: Mail) -> None:
        """Connect, and name sender and recipient."""
        if not self._connection.is_open:
            await self._connection.open()
        await self._connection.begin(message.sender, message.recipient)

    async def deliver(self, message: Mail) -> str:
        """Send the content; return the server's words."""
        return await self._connection.deliver(message.content)

    async def quit(self) -> None:
        """Say goodbye."""
        await self._connection.quit()

    def close(self) -> None:
        """Drop the connection."""
        self._connection.close()


class MailCarrier:
    """The channel e-mail."""

    channel = Channel.EMAIL.value
    repeats = True  # with the same Message-ID

    def __init__(self, settings: MessagingSettings) -> None:
        head = Letterhead(settings.mail_from, settings.company)
        links = LinkMaker.from_settings(settings)
        self._letters = Letters(head, links)
        self._return_path = ReturnPath(settings.bounce_address, links.signer)
        self.lines = settings.sender_concurrency
        self._server = Server(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_user,
            settings.smtp_password.get_secret_value(),
            settings.smtp_starttls,
            settings.smtp_timeout_seconds,
            head.domain,
        )
        # Letters are claimed by their press.
        sent_elsewhere = {Channel.LETTER.value} | (
            {Channel.SMS.value} if settings.sms_provider else set()
        )
        self.takes: Sequence[str] = sorted({one.value for one in Channel} - sent_elsewhere)

    def line(self) -> MailLine:
        """Return a connection that is not open yet."""
        return MailLine(self._server)

    async def prepare(self, tx: Tx, items: Sequence[Item]) -> None:
        """Load templates and cells."""
        await self._letters.prepare(tx, items)

    def forget_old(self) -> None:
        """Drop templates and cells that are held too long."""
        self._letters.forget_old()

    def write(self, item: Item, *, at: datetime) -> Mail:
        """Write the mail."""
        recipient, content = self._letters.write(item, at=at)
        return Mail(self._return_path.of(item.id) or self._letters.sender, recipient, content)

    async def close(self) -> None:
        """Nothing is shared."""


async def send_loop(service: Service) -> None:
    """Send mails as long as the service runs."""
    settings = service.settings
    if not isinstance(settings, MessagingSettings):
        message = "messaging-svc needs MessagingSettings"
        raise TypeError(message)
    if not settings.smtp_host:
        log.warning("sender.off", detail="no smtp_host is set: mails stay planned")
        return
    await run_sender(service, settings, lambda: MailCarrier(settings))
