"""A line to a mail server: opened, secured and signed in; answers in, commands out, a deadline for every answer.

Source: RFC 5321, RFC 3207, RFC 4954; 2026-11.
"""

import asyncio
import base64
from abc import abstractmethod
from collections import deque
from enum import Enum, auto
from typing import cast

from messaging_svc.wire.answers import CLOSING, TEMPORARY, Answers, Lost, Refused
from messaging_svc.wire.server import Server

_GOODBYE_SECONDS = 1.0
_TIGHTEST_TIMER_SECONDS = 0.01


class Step(Enum):
    """What an answer is waited for."""

    OPENING = auto()
    RSET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    DOT = auto()
    LONE_DOT = auto()
    QUIT = auto()


class Line(asyncio.Protocol):
    """The connection below the mails: whoever sends over it says what comes after each answer."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._answers = Answers()
        self._transport: asyncio.Transport | None = None
        self._expected: deque[Step] = deque()
        self._greeting: asyncio.Future[tuple[int, list[str]]] | None = None
        self._waiter: asyncio.Future[tuple[int, list[str]]] | None = None
        self._extensions: dict[str, str] = {}
        self._is_ready = False
        self._is_ending = False
        self._is_hearing = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @abstractmethod
    def _answered(self, step: Step, code: int, lines: list[str]) -> None:
        """Go on after an answer."""

    @abstractmethod
    def _gone(self, reason: str) -> None:
        """Settle what was under way when the line went."""

    @abstractmethod
    def _broken(self, error: Exception) -> None:
        """Hear that the program has failed."""

    async def ended(self) -> str:
        """Wait until the connection is gone; return why, empty when it was we who left."""
        return await asyncio.shield(self._ended)

    def abort(self, reason: str = "") -> None:
        """Drop the connection; whatever is under way ends now."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        self._over(reason)

    # -- opening -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, greet, secure, sign in.

        Raises:
            Lost: the server is away or does not do what it must.
            Refused: it does not want us.
        """
        server = self._server
        try:
            async with asyncio.timeout(server.deadlines.opening_seconds):
                await asyncio.get_running_loop().create_connection(
                    lambda: self,
                    server.host,
                    server.port,
                    ssl=server.tls_context() if server.tls == "implicit" else None,
                    server_hostname=server.host if server.tls == "implicit" else None,
                )
                await self._greet()
        except (OSError, TimeoutError, UnicodeError) as error:
            # A host that cannot be a name in the DNS is a UnicodeError.
            self.abort()
            raise Lost(f"the mail server cannot be reached ({type(error).__name__})") from error
        except (Refused, Lost):
            self.abort()
            raise
        self._is_ready = True

    async def _greet(self) -> None:
        if self._greeting is not None:
            self._expect(await self._greeting)
        await self._hello()
        if self._server.tls == "starttls":
            if "STARTTLS" not in self._extensions:
                raise Lost("the mail server does not offer STARTTLS, which the settings demand")
            self._expect(await self._ask("STARTTLS"))
            if not self._answers.is_between or self._transport is None:
                raise Lost("the mail server sent ahead of its TLS, as an intruder would")
            secured = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                self._server.tls_context(),
                server_hostname=self._server.host,
            )
            if secured is None:
                raise Lost("the mail server left while TLS was agreed on")
            self._transport = secured
            await self._hello()
        if self._server.user:
            secret = f"\0{self._server.user}\0{self._server.password}".encode()
            self._expect(await self._ask(f"AUTH PLAIN {base64.b64encode(secret).decode()}"))

    async def _hello(self) -> None:
        code, lines = await self._ask(f"EHLO {self._server.name}")
        if code >= TEMPORARY:
            self._expect(await self._ask(f"HELO {self._server.name}"))
            lines = []
        self._extensions = {
            word.upper(): rest for word, _, rest in (line.partition(" ") for line in lines[1:])
        }

    async def _ask(self, command: str) -> tuple[int, list[str]]:
        if self._ended.done():
            raise Lost(f"the mail server left ({self._ended.result() or 'no reason'})")
        answer = self._awaited()
        self._write(f"{command}\r\n".encode())
        return await answer

    def _awaited(self) -> asyncio.Future[tuple[int, list[str]]]:
        self._waiter = asyncio.get_running_loop().create_future()
        self._expected.append(Step.OPENING)
        return self._waiter

    @staticmethod
    def _expect(answer: tuple[int, list[str]]) -> None:
        code, lines = answer
        if code >= TEMPORARY:
            raise Refused(code, " ".join(lines)[:300])

    # -- what asyncio calls ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out; after STARTTLS there is another one."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by inheritance
        if self._greeting is None:
            # It may come before whoever opens the line goes on.
            self._greeting = self._awaited()
            if self._ended.done():
                self._transport.abort()
                self._greeting.set_exception(Lost("given up before it was there"))

    def connection_lost(self, exc: Exception | None) -> None:
        """End whatever is under way."""
        self._transport = None
        self._over(type(exc).__name__ if exc else "the mail server closed the connection")

    def data_received(self, data: bytes) -> None:
        """Go on with each answer."""
        self._is_hearing = True
        try:
            for code, lines in self._answers.feed(data):
                if self._ended.done():
                    return
                self._heard(code, lines)
            self._watch()
        except Lost as loss:
            self.abort(str(loss))
        except Exception as error:  # noqa: BLE001 - a fault of ours ends the sender, not this connection alone
            self._is_ending = True
            self._broken(error)
        finally:
            self._is_hearing = False

    def _heard(self, code: int, lines: list[str]) -> None:
        if self._expected:
            step = self._expected.popleft()
            if step is not Step.OPENING:
                self._answered(step, code, lines)
            elif self._waiter is not None and not self._waiter.done():
                self._waiter.set_result((code, lines))
        elif code == CLOSING:
            self.abort("the mail server closed the connection (421)")
        else:
            raise Lost("the mail server answered what was not asked")

    def _write(self, data: bytes) -> None:
        if self._transport is None:
            raise Lost("the connection is closed")
        self._transport.write(data)
        if not self._is_hearing:  # else when all that came is heard
            self._watch()

    def _watch(self) -> None:
        """Say when the answer that is due must have come. One timer serves all: it looks again when it was too early."""
        if not self._expected:
            self._deadline = 0.0
            return
        step, deadlines = self._expected[0], self._server.deadlines
        seconds = (
            deadlines.dot_seconds
            if step is Step.DOT
            else _GOODBYE_SECONDS
            if step is Step.QUIT
            else deadlines.opening_seconds
            if step is Step.OPENING
            else deadlines.command_seconds
        )
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(seconds, self._look_at_clock)
        elif self._timer.when() > self._deadline + _TIGHTEST_TIMER_SECONDS:
            self._timer.cancel()
            self._timer = loop.call_later(seconds, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = None
        if not self._deadline or self._ended.done():
            return
        loop = asyncio.get_running_loop()
        left = self._deadline - loop.time()
        if left > 0:
            self._timer = loop.call_later(left, self._look_at_clock)
        else:
            step = self._expected[0].name if self._expected else "?"
            self.abort(f"no answer in time (waited at {step})")

    def _over(self, reason: str) -> None:
        if self._ended.done():
            return
        self._ended.set_result(reason)
        self._is_ready, self._is_ending = False, True
        if self._timer is not None:
            self._timer.cancel()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(Lost(f"the mail server left ({reason})"))
        self._gone(reason)
