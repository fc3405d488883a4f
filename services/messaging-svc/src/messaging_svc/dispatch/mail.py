"""E-mail as a channel: letters, over SMTP."""

import asyncio
from collections.abc import Sequence

from kantis_contracts.values import Channel
from kantis_kit import observability
from kantis_kit.clock import Clock
from kantis_kit.db.database import is_away
from kantis_kit.service import Service
from kantis_kit.tx import Scope, Tx
from messaging_svc.dispatch.handed import NOTES_PER_MESSAGE_AHEAD
from messaging_svc.dispatch.inheritance import FOLDER, inherit
from messaging_svc.dispatch.ledger import Ledger
from messaging_svc.dispatch.letters import Item, Letters
from messaging_svc.dispatch.mailing import Mailing
from messaging_svc.dispatch.mime import Letterhead
from messaging_svc.dispatch.relaying import Relaying
from messaging_svc.dispatch.sender import run_sender
from messaging_svc.dispatch.watching import Watch
from messaging_svc.links import LinkMaker
from messaging_svc.relays.routes import Relay
from messaging_svc.relays.sharing import Board
from messaging_svc.relays.sql import ANY_RELAY
from messaging_svc.settings import MessagingSettings
from messaging_svc.verp import ReturnPath
from messaging_svc.wire.dkim import Signer
from messaging_svc.wire.journal import Journal
from messaging_svc.wire.server import Deadlines, Server

log = observability.get_logger(__name__)

_LOOK_SECONDS = 0.5


class MailCarrier:
    """The channel e-mail."""

    channel = Channel.EMAIL.value

    def __init__(self, settings: MessagingSettings) -> None:
        head = Letterhead(settings.mail_from, settings.company)
        links = LinkMaker.from_settings(settings)
        self._settings = settings
        self._letters = Letters(head, links, ReturnPath(settings.reply_address, links.signer))
        self._return_path = ReturnPath(settings.bounce_address, links.signer)
        self._deadlines = Deadlines(
            settings.smtp_timeout_seconds,
            settings.smtp_timeout_seconds,
            settings.smtp_final_timeout_seconds,
        )
        self._name = head.domain
        self._relaying: Relaying | None = None
        self._board: Board | None = None
        pem = settings.dkim_key.get_secret_value()
        self._signer = (
            Signer.from_pem(head.domain, settings.dkim_selector, pem.encode()) if pem else None
        )
        # Letters are claimed by their press, calls by callers; what a web site shows, by whoever looks at it.
        sent_elsewhere = {Channel.LETTER.value, Channel.PHONE.value, Channel.WEB.value}
        if settings.sms_provider:
            sent_elsewhere.add(Channel.SMS.value)
        self.takes: Sequence[str] = sorted({one.value for one in Channel} - sent_elsewhere)

    def desk(self, ledger: Ledger, clock: Clock) -> Relaying:
        """Return the desk of all mail servers, each with a journal of its own where one can be kept."""

        def make(relay: Relay, watch: Watch, part: int) -> Mailing:
            return Mailing(
                settings=self._settings,
                clock=clock,
                ledger=ledger,
                letters=self._letters,
                return_path=self._return_path,
                server=self._server(relay),
                connections=relay.connections,
                journal=Journal.create(
                    self._settings.data_dir / FOLDER,
                    ledger.me,
                    NOTES_PER_MESSAGE_AHEAD * self._settings.sender_ahead,
                    part=part,
                ),
                signer=self._signer,
                watch=watch,
            )

        self._relaying = Relaying(self._settings, clock, ledger, make)
        self._sender = ledger.me
        return self._relaying

    def _server(self, relay: Relay) -> Server:
        return Server(
            relay.host,
            relay.port,
            relay.user,
            relay.password,
            relay.tls,
            self._name,
            self._deadlines,
        )

    async def look(self, scope: Scope) -> None:
        """Put right what dead senders of this machine left; follow changes of the relays."""
        await inherit(scope, self._settings.data_dir)
        relaying = self._relaying
        if relaying is None:
            return
        if self._board is None:
            self._board = Board(scope, self._settings, self._sender, relaying.traffic)
        has_returned = relaying.has_returned
        routes = await self._board.look(relaying.standing(), has_returned=has_returned)
        relaying.has_returned &= not has_returned
        while routes is not None:
            relaying.adopt(routes)
            # Those who wait for the change are told at once, not when the board is looked at next.
            routes = await self._board.look(relaying.standing(), has_returned=False)

    async def prepare(self, tx: Tx, items: Sequence[Item]) -> None:
        """Load templates and cells."""
        await self._letters.prepare(tx, items)

    def forget_old(self) -> None:
        """Drop templates and cells that are held too long."""
        self._letters.forget_old()

    async def close(self) -> None:
        """Nothing is shared."""


async def send_loop(service: Service) -> None:
    """Send mails as long as the service runs."""
    settings = service.settings
    if not isinstance(settings, MessagingSettings):
        message = "messaging-svc needs MessagingSettings"
        raise TypeError(message)
    if not settings.smtp_host:
        log.info("sender.waits", detail="no mail server is known: mails stay planned")
        await _until_relay(service)
    await run_sender(service, settings, lambda: MailCarrier(settings))


async def _until_relay(service: Service) -> None:
    """Wait until somebody declares a mail server."""
    while True:
        try:
            pool = await service.database.pool()
            if await pool.fetchval(ANY_RELAY):
                return
        except Exception as error:
            if not is_away(error):
                raise
        await asyncio.sleep(_LOOK_SECONDS)
