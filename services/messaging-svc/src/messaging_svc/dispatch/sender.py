"""The mail sender: claims batches, writes mails, hands them over on a few persistent connections.

What is handed over waits for milliseconds; at most one message per connection is on the wire: that is what a crash can
leave in doubt.
"""

import asyncio
from contextlib import suppress

from kantis_contracts.base import MAX_ITEMS
from kantis_kit import observability
from kantis_kit.db.database import Listener, is_away
from kantis_kit.service import Service
from messaging_svc.dispatch import sql
from messaging_svc.dispatch.inheritance import FOLDER, inherit
from messaging_svc.dispatch.ledger import Ledger
from messaging_svc.dispatch.letters import Item, Letters
from messaging_svc.dispatch.mailing import Mailing
from messaging_svc.dispatch.mime import Letterhead
from messaging_svc.links import LinkMaker
from messaging_svc.quarantine.guard import Guard
from messaging_svc.settings import MessagingSettings
from messaging_svc.wire.dkim import Signer
from messaging_svc.wire.journal import Journal
from messaging_svc.wire.server import Deadlines, Server

log = observability.get_logger(__name__)

IDLE_SECONDS = 0.5
"""Leases and pauses are looked at this often; new rows wake the sender at once."""
_ANNOUNCE_SECONDS = 5.0
_GATHER_SECONDS = 0.05
_STOP_SECONDS = 5.0
_RESTART_SECONDS = 0.2
_NOTES_PER_MESSAGE_AHEAD = 4
"""Room in the journal: what is ahead, and what has an outcome that is not committed yet."""


class Sender:
    """The sender of one process."""

    def __init__(self, service: Service, settings: MessagingSettings) -> None:
        head = Letterhead(settings.mail_from, settings.company)
        self._service = service
        self._settings = settings
        self._clock = service.clock
        self._server = Server(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_user,
            settings.smtp_password.get_secret_value(),
            "implicit"
            if settings.smtp_implicit_tls
            else "starttls"
            if settings.smtp_starttls
            else "none",
            head.domain,
            Deadlines(
                settings.smtp_timeout_seconds,
                settings.smtp_timeout_seconds,
                settings.smtp_final_timeout_seconds,
            ),
        )
        self._letters = Letters(head, LinkMaker.from_settings(settings))
        pem = settings.dkim_key.get_secret_value()
        self._signer = (
            Signer.from_pem(head.domain, settings.dkim_selector, pem.encode()) if pem else None
        )
        self._guard = Guard(service.scope, settings.data_dir)
        self._ledger = Ledger(service.scope, settings, self._guard)
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue()
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._has_more = False

    def wake(self) -> None:
        """Say that rows have appeared or were decided on by hand."""
        self._woken.set()
        self._ledger.ends.set()

    def stop(self) -> None:
        """Take nothing new, end what is on the wire, give the rest back."""
        self._stopping.set()

    async def run(self) -> None:
        """Send until told to stop."""
        journal = Journal.create(
            self._settings.data_dir / FOLDER,
            self._ledger.me,
            _NOTES_PER_MESSAGE_AHEAD * self._settings.sender_ahead,
        )
        try:
            await self._run(journal)
        except BaseException:
            if journal is not None:
                journal.close()
            raise
        if journal is not None:
            journal.remove()

    async def _run(self, journal: Journal | None) -> None:
        mailing = Mailing(
            settings=self._settings,
            clock=self._clock,
            ledger=self._ledger,
            letters=self._letters,
            server=self._server,
            journal=journal,
            signer=self._signer,
        )
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self._ledger.run()),
                group.create_task(self._announce()),
                group.create_task(
                    Listener(self._service.database, sql.NOTIFY_CHANNEL, self.wake).run()
                ),
            ]
            feeder = group.create_task(self._feed())
            mails = group.create_task(mailing.run(self._queue, self._stopping, self._taken))
            await self._stopping.wait()
            feeder.cancel()
            rest = []
            while not self._queue.empty():
                rest.append(self._queue.get_nowait())
            self._queue.put_nowait(None)
            await asyncio.wait({mails})
            await self._ledger.settled()
            await self._ledger.give_back([item for item in rest if item is not None])
            await self._ledger.announce()
            for task in background:
                task.cancel()

    async def _feed(self) -> None:
        """Keep the queue filled: the next batch is claimed while the last one is sent."""
        loop = asyncio.get_running_loop()
        recover_at = 0.0
        while True:
            self._woken.clear()
            decided = 0
            try:
                if loop.time() >= recover_at:
                    await self._guard.look()
                    await inherit(self._service.scope, self._settings.data_dir)
                    await self._ledger.recover()
                    recover_at = loop.time() + IDLE_SECONDS
                if self._queue.qsize() < self._settings.sender_batch // 2:
                    self._letters.forget_old()
                    items, decided = await self._ledger.claim(self._letters)
                    if items:
                        await self._guard.before_sending()
                    for item in items:
                        self._queue.put_nowait(item)
                    self._has_more = decided >= self._settings.sender_batch
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("sender.database_away", error=type(error).__name__)
            if not decided:
                await self._wait(self._woken, IDLE_SECONDS)

    @staticmethod
    async def _wait(event: asyncio.Event, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    async def _announce(self) -> None:
        while True:
            await self._wait(self._ledger.ends, _ANNOUNCE_SECONDS)
            # A pause lets ends gather, so that an event is about many of them.
            await asyncio.sleep(_GATHER_SECONDS)
            self._ledger.ends.clear()
            try:
                while await self._ledger.announce() >= MAX_ITEMS:
                    pass
            except Exception as error:
                if not is_away(error):
                    raise
                self._ledger.ends.set()

    def _taken(self) -> None:
        if self._has_more and self._queue.qsize() < self._settings.sender_batch // 2:
            self._woken.set()


async def send_loop(service: Service) -> None:
    """Run a sender as long as the service runs; at its stop, end what is on the wire first."""
    settings = service.settings
    if not isinstance(settings, MessagingSettings):
        message = "messaging-svc needs MessagingSettings"
        raise TypeError(message)
    if not settings.smtp_host:
        log.warning("sender.off", detail="no smtp_host is set: mails stay planned")
        return
    while True:
        sender = Sender(service, settings)
        task = asyncio.get_running_loop().create_task(
            sender.run(), name="messaging: sender at work"
        )
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            sender.stop()
            await asyncio.wait({task}, timeout=_STOP_SECONDS)
            task.cancel()
            await asyncio.wait({task})
            raise
        except Exception as error:
            log.warning("sender.failed", error=observability.name_of(error), exc_info=error)
            await asyncio.sleep(_RESTART_SECONDS)
