"""SMTP over asyncio: persistent connections, pipelined where announced, a deadline for every answer.

Split where the ledger needs it: `begin` (MAIL, RCPT) can be repeated freely; `deliver` (DATA to the answer after the
final dot) only after the hand-over has been committed. Source: RFC 5321, RFC 2920, RFC 3207, RFC 4954; 2026-11.
"""

import asyncio
import base64
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from kantis_kit import failpoints
from messaging_svc.dispatch import carriers
from messaging_svc.dispatch.carriers import Lost

_LIMIT = 64 * 1024
_CONTINUE = 354
_CLOSING = 421
_PERMANENT = 500
_TEMPORARY = 400


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails are handed over, and how."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    starttls: bool = False
    timeout_seconds: float = 30.0
    name: str = "kantis.invalid"


class Refused(carriers.Refused):
    """The server said no to this message; nothing of it was taken."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        self.is_permanent = code >= _PERMANENT
        super().__init__(f"{code} {text}")

    @property
    def closes(self) -> bool:
        """Say whether the server ends the connection with this answer."""
        return self.code == _CLOSING


class Connection:
    """One connection to the mail server; used by one message at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._extensions: dict[str, str] = {}
        self._in_transaction = False

    @property
    def is_open(self) -> bool:
        """Say whether commands can be sent."""
        return self._writer is not None and not self._writer.is_closing()

    async def open(self) -> None:
        """Connect, greet, secure, sign in.

        Raises:
            Lost: the server is away or does not do what it must.
            Refused: it does not want us.
        """
        try:
            async with asyncio.timeout(self._server.timeout_seconds):
                self._reader, self._writer = await asyncio.open_connection(
                    self._server.host, self._server.port, limit=_LIMIT
                )
                await self._greet()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Lost(f"the mail server cannot be reached ({type(error).__name__})") from error
        except (Refused, Lost):
            self.close()
            raise

    async def _greet(self) -> None:
        self._expect(await self._answer())
        await self._hello()
        if self._server.starttls:
            if "STARTTLS" not in self._extensions:
                raise Lost("the mail server does not offer STARTTLS, which the settings demand")
            self._expect(await self._command("STARTTLS"))
            await self._stream().start_tls(
                ssl.create_default_context(), server_hostname=self._server.host
            )
            await self._hello()
        if self._server.user:
            secret = f"\0{self._server.user}\0{self._server.password}".encode()
            self._expect(await self._command(f"AUTH PLAIN {base64.b64encode(secret).decode()}"))

    async def _hello(self) -> None:
        code, lines = await self._command(f"EHLO {self._server.name}")
        if code >= _TEMPORARY:
            self._expect(await self._command(f"HELO {self._server.name}"))
            lines = []
        self._extensions = {
            word.upper(): rest for word, _, rest in (line.partition(" ") for line in lines[1:])
        }

    async def begin(self, sender: str, recipient: str) -> None:
        """Name sender and recipient.

        Raises:
            Refused: the server does not take mail from or for them; the connection stays usable.
            Lost: the connection is gone; nothing was sent.
        """
        options = ""
        if not (sender.isascii() and recipient.isascii()):
            if "SMTPUTF8" not in self._extensions:
                raise Refused(553, "the mail server does not take addresses outside ASCII")
            options = " SMTPUTF8"
        commands = [f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{recipient}>"]
        if self._in_transaction:
            commands.insert(0, "RSET")
        self._in_transaction = True
        try:
            async with asyncio.timeout(self._server.timeout_seconds):
                answers = await self._exchange(commands)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Lost(f"no answer to RCPT ({type(error).__name__})") from error
        for answer in answers:
            self._expect(answer)

    async def _exchange(self, commands: Sequence[str]) -> list[tuple[int, list[str]]]:
        writer = self._stream()
        if "PIPELINING" in self._extensions:
            writer.write("".join(f"{command}\r\n" for command in commands).encode())
            return [await self._answer() for _ in commands]
        answers = []
        for command in commands:
            answers.append(await self._command(command))
            if answers[-1][0] >= _TEMPORARY:
                break
        return answers

    async def deliver(self, content: bytes) -> str:
        """Send the content, whose lines are dot-stuffed and end in CR LF; return the server's words.

        Raises:
            Refused: the server did not take it.
            Lost: the connection is gone; `is_unknown` says whether the server may have it.
        """
        unknown = False
        try:
            async with asyncio.timeout(self._server.timeout_seconds):
                code, lines = await self._command("DATA")
                if code != _CONTINUE:
                    raise Refused(code, " ".join(lines))
                await failpoints.reach("dispatch.before_dot")
                writer = self._stream()
                unknown = True
                writer.write(content + b".\r\n")
                await writer.drain()
                await failpoints.reach("dispatch.after_dot")
                code, lines = await self._answer()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Lost(
                f"no answer to the message ({type(error).__name__})", is_unknown=unknown
            ) from error
        self._in_transaction = False
        self._expect((code, lines))
        return " ".join(lines)

    async def quit(self) -> None:
        """Say goodbye, without insisting on an answer."""
        if not self.is_open:
            return
        try:
            async with asyncio.timeout(1):
                await self._command("QUIT")
        except (OSError, TimeoutError, asyncio.IncompleteReadError, Lost):
            pass
        self.close()

    def close(self) -> None:
        """Drop the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
        self._in_transaction = False

    async def _command(self, command: str) -> tuple[int, list[str]]:
        self._stream().write(f"{command}\r\n".encode())
        return await self._answer()

    async def _answer(self) -> tuple[int, list[str]]:
        if self._reader is None:
            raise ConnectionResetError
        lines: list[str] = []
        while True:
            try:
                raw = await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                raise ConnectionResetError from error
            line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
            if len(line) < len("250") or not line[:3].isdigit():
                raise ConnectionResetError
            lines.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), lines

    def _expect(self, answer: tuple[int, list[str]]) -> None:
        code, lines = answer
        if code >= _TEMPORARY:
            refusal = Refused(code, " ".join(lines)[:300])
            if refusal.closes:
                self.close()
            raise refusal

    def _stream(self) -> asyncio.StreamWriter:
        if self._writer is None:
            raise ConnectionResetError
        return self._writer
