"""E-mail as a channel: letters, over SMTP."""

from collections.abc import Sequence

from kantis_contracts.values import Channel
from kantis_kit import observability
from kantis_kit.clock import Clock
from kantis_kit.service import Service
from kantis_kit.tx import Scope, Tx
from messaging_svc.dispatch.inheritance import FOLDER, inherit
from messaging_svc.dispatch.ledger import Ledger
from messaging_svc.dispatch.letters import Item, Letters
from messaging_svc.dispatch.mailing import Mailing
from messaging_svc.dispatch.mime import Letterhead
from messaging_svc.dispatch.sender import run_sender
from messaging_svc.links import LinkMaker
from messaging_svc.settings import MessagingSettings
from messaging_svc.verp import ReturnPath
from messaging_svc.wire.dkim import Signer
from messaging_svc.wire.journal import Journal
from messaging_svc.wire.server import Deadlines, Server, Tls

log = observability.get_logger(__name__)

_NOTES_PER_MESSAGE_AHEAD = 4
"""Room in the journal: what is ahead, and what has an outcome that is not committed yet."""


class MailCarrier:
    """The channel e-mail."""

    channel = Channel.EMAIL.value

    def __init__(self, settings: MessagingSettings) -> None:
        head = Letterhead(settings.mail_from, settings.company)
        links = LinkMaker.from_settings(settings)
        self._settings = settings
        self._letters = Letters(head, links)
        self._return_path = ReturnPath(settings.bounce_address, links.signer)
        self._server = _server(settings, head.domain)
        pem = settings.dkim_key.get_secret_value()
        self._signer = (
            Signer.from_pem(head.domain, settings.dkim_selector, pem.encode()) if pem else None
        )
        # Letters are claimed by their press.
        sent_elsewhere = {Channel.LETTER.value}
        if settings.sms_provider:
            sent_elsewhere.add(Channel.SMS.value)
        self.takes: Sequence[str] = sorted({one.value for one in Channel} - sent_elsewhere)

    def desk(self, ledger: Ledger, clock: Clock) -> Mailing:
        """Return the desk of the mail server, with a journal of its own where one can be kept."""
        return Mailing(
            settings=self._settings,
            clock=clock,
            ledger=ledger,
            letters=self._letters,
            return_path=self._return_path,
            server=self._server,
            journal=Journal.create(
                self._settings.data_dir / FOLDER,
                ledger.me,
                _NOTES_PER_MESSAGE_AHEAD * self._settings.sender_ahead,
            ),
            signer=self._signer,
        )

    async def inherit(self, scope: Scope) -> None:
        """Put right what dead senders of this machine left."""
        await inherit(scope, self._settings.data_dir)

    async def prepare(self, tx: Tx, items: Sequence[Item]) -> None:
        """Load templates and cells."""
        await self._letters.prepare(tx, items)

    def forget_old(self) -> None:
        """Drop templates and cells that are held too long."""
        self._letters.forget_old()

    async def close(self) -> None:
        """Nothing is shared."""


def _server(settings: MessagingSettings, name: str) -> Server:
    tls: Tls = "starttls" if settings.smtp_starttls else "none"
    if settings.smtp_implicit_tls:
        tls = "implicit"
    return Server(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_user,
        settings.smtp_password.get_secret_value(),
        tls,
        name,
        Deadlines(
            settings.smtp_timeout_seconds,
            settings.smtp_timeout_seconds,
            settings.smtp_final_timeout_seconds,
        ),
    )


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
