"""An SMTP server on the loopback interface that takes every mail and sends none on."""

import asyncio
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from kantis.mailbox.store import Arrival, MailStore
from kantis_kit.clock import Clock, SystemClock

MAX_MAIL_BYTES = 10_000_000


class Mailbox:
    """The catcher and its store."""

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        self.store = MailStore(folder)
        self._clock = clock or SystemClock()
        self._server: asyncio.Server | None = None
        self._waiting: list[tuple[Arrival, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; return the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, host, port)
        self._writer = loop.create_task(self._write(), name="mailbox writer")
        return int(self._server.sockets[0].getsockname()[1])

    def _connection(self) -> SMTP:
        return SMTP(
            self,
            hostname="mailbox.kantis.local",
            enable_SMTPUTF8=True,
            data_size_limit=MAX_MAIL_BYTES,
            timeout=60,
            loop=asyncio.get_running_loop(),
        )

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take one mail; answered once it is in the store."""
        content = envelope.original_content or b""
        stored = asyncio.get_running_loop().create_future()
        arrival = Arrival(
            self._clock.now(), envelope.mail_from or "", tuple(envelope.rcpt_tos), content
        )
        self._waiting.append((arrival, stored))
        self._arrived.set()
        await stored
        return "250 OK caught"

    async def _write(self) -> None:
        # The next batch gathers while this one is written: no mail waits for a timer.
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._waiting = self._waiting, []
            try:
                await self.store.add([arrival for arrival, _ in batch])
            except Exception as error:  # noqa: BLE001 - the senders must hear of it, whatever it is
                for _, stored in batch:
                    stored.set_exception(error)
                continue
            for _, stored in batch:
                if not stored.done():
                    stored.set_result(None)

    async def stop(self) -> None:
        """Stop listening and close the store."""
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        self.store.close()
