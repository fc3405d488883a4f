"""How the outgoing client's requests leave: kept-alive connections with a parser in C, TLS checked, answers of bounded size.

Callers and tests know answers and errors of httpx, whose own way over the network takes several times as much processor
time for each request; so does a general client of any kind, which a provider's thousands of small requests do not need.

Source: RFC 9110, RFC 9112 (6.3: how long an answer is; 9.3: which connections are kept), RFC 8305, 2026-11.
"""

import asyncio
import re
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import httptools
import httpx
from aiohappyeyeballs import start_connection

MAX_ANSWER_BYTES = 8 * 1024 * 1024
_KEEPALIVE_SECONDS = 15.0
_SECOND_ADDRESS_SECONDS = 0.25
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})
_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_INTERIM, _SWITCHING, _FINAL = 100, 101, 200

_Told = tuple[int, list[tuple[bytes, bytes]], bytes]


class AnswerTooLong(httpx.RemoteProtocolError):
    """The other side sent more than an answer may have."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an address leads: whom to connect to, and what to ask there."""

    host: str
    port: int
    is_tls: bool
    target: str
    named: str
    """The host, as the request names it."""

    @property
    def door(self) -> tuple[str, int, bool]:
        """Return what requests over one connection have in common."""
        return self.host, self.port, self.is_tls


@lru_cache(maxsize=256)
def _place_of(url: str) -> _Place:
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise httpx.UnsupportedProtocol(
            "an address begins with http:// or https:// and a host, without user and password"
        )
    is_tls = parsed.scheme == "https"
    return _Place(
        parsed.raw_host.decode("ascii"),
        parsed.port or (443 if is_tls else 80),
        is_tls,
        parsed.raw_path.decode("ascii"),
        parsed.netloc.decode("ascii"),
    )


def _written(
    method: str, place: _Place, content: bytes | None, headers: Mapping[str, str]
) -> bytes:
    """Return a request as it goes over the wire.

    Raises:
        httpx.LocalProtocolError: a name or a value would end its line, or frame the request in another way.
    """
    if _NAME.fullmatch(method) is None:
        raise httpx.LocalProtocolError("a method that cannot be sent")
    lines = [f"{method.upper()} {place.target} HTTP/1.1\r\nHost: {place.named}"]
    for name, value in headers.items():
        if _NAME.fullmatch(name) is None or _NO_VALUE.search(value):
            raise httpx.LocalProtocolError(f"a header that cannot be sent: {name!r}")
        if name.lower() in ("host", "content-length", "transfer-encoding", "connection"):
            raise httpx.LocalProtocolError(f"a header that is not the caller's: {name}")
        lines.append(f"{name}: {value}")
    if content is not None or method.upper() in _WITH_CONTENT:
        lines.append(f"Content-Length: {len(content or b'')}")
    return "\r\n".join((*lines, "\r\n")).encode() + (content or b"")


class _Line(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, silence_seconds: float, is_free: Callable[["_Line"], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._silence = silence_seconds
        self._is_free = is_free
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[_Told] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard_at = 0.0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._is_head = self._ends_with_line = False
        self.idle_since = 0.0
        self.gone: asyncio.Future[None] = self._loop.create_future()

    @property
    def is_open(self) -> bool:
        """Say whether a request can be written."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes, *, is_head: bool) -> "asyncio.Future[_Told]":
        """Write a request; return what will hold its answer, or an error of httpx."""
        waiting: asyncio.Future[_Told] = self._loop.create_future()
        if self._transport is None:
            # Lost between its making and this: nothing was written.
            waiting.set_exception(httpx.ConnectError("the other side hung up at once"))
            return waiting
        self._waiting, self._is_head, self._ends_with_line = waiting, is_head, False
        self._headers, self._parts, self._size = [], [], 0
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(self._silence, self._look)
        self._transport.write(request)
        return waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def _look(self) -> None:
        rest = self._heard_at + self._silence - self._loop.time()
        if rest > 0:
            self._timer = self._loop.call_later(rest, self._look)
        else:
            self._fail(httpx.ReadTimeout("no answer in time"))

    def _fail(self, error: httpx.TransportError) -> None:
        waiting = self._ended()
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
        self.close()

    def _ended(self) -> "asyncio.Future[_Told] | None":
        waiting, self._waiting = self._waiting, None
        if self._timer is not None:
            self._timer.cancel()
        return waiting

    def _answered(self) -> None:
        waiting = self._ended()
        if waiting is not None and not waiting.done():
            told = self._parser.get_status_code(), self._headers, b"".join(self._parts)
            waiting.set_result(told)
        if waiting is None or self._is_head or not self._parser.should_keep_alive():
            self.close()
        else:
            self.idle_since = self._loop.time()
            self._is_free(self)

    # -- what the event loop tells -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have a connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._waiting is None:
            self.close()  # nobody has asked: whatever this is, it is no answer to what is asked next
            return
        self._heard_at = self._loop.time()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx.RemoteProtocolError(str(error)))

    def connection_lost(self, exc: Exception | None) -> None:
        """End with the connection."""
        self._transport = None
        if self._ends_with_line and exc is None:
            self._answered()
        else:
            self._fail(httpx.RemoteProtocolError("the other side hung up"))
        if not self.gone.done():
            self.gone.set_result(None)

    # -- what the parser tells ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Take an answer that nobody has asked for as a reason to trust this connection no more."""
        if self._waiting is None:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._count(len(name) + len(value))
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Know how long the answer is; to a HEAD it ends here, whatever its headers say."""
        status = self._parser.get_status_code()
        if status < _FINAL:
            return
        if self._is_head:
            self._answered()
        else:
            self._ends_with_line = not any(name.lower() in _LENGTHS for name, _ in self._headers)

    def on_body(self, part: bytes) -> None:
        """Keep a part."""
        self._count(len(part))
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """Have the whole of it; one that only says that another will follow is none."""
        if self._waiting is None:
            return
        if _INTERIM <= self._parser.get_status_code() < _FINAL:
            if self._parser.get_status_code() == _SWITCHING:
                self._fail(httpx.RemoteProtocolError("another protocol was not asked for"))
            self._headers = []
        else:
            self._answered()

    def _count(self, more: int) -> None:
        self._size += more
        if self._size > MAX_ANSWER_BYTES:
            self._fail(AnswerTooLong(f"an answer of more than {MAX_ANSWER_BYTES} bytes"))


class Wire:
    """Sends requests; no redirects, no cookies, no proxies, no second attempts."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        connect_seconds: float,
        may_reach: Callable[[str], bool] | None = None,
    ) -> None:
        self._may_reach = may_reach
        self._silence = timeout_seconds
        self._connect_seconds = min(connect_seconds, timeout_seconds)
        self._lines: set[_Line] = set()
        self._idle: defaultdict[tuple[str, int, bool], list[_Line]] = defaultdict(list)
        self._sweep_at: asyncio.TimerHandle | None = None
        self._tls: ssl.SSLContext | None = None

    async def send(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        """Send one request and read its answer whole.

        Raises:
            httpx.TransportError: there is no answer; its kind says whether the request may have arrived.
        """
        place = _place_of(url)
        request = _written(method, place, content, headers)
        line = self._kept(place) or await self._connected(place)
        try:
            status, told, body = await line.ask(request, is_head=method.upper() == "HEAD")
        except BaseException:
            line.close()  # what may still come is no answer to the next request
            raise
        return httpx.Response(status, headers=told, content=body)

    def _kept(self, place: _Place) -> _Line | None:
        """Return a connection that is there; the one that was used last, so that the others may end."""
        idle = self._idle.get(place.door)
        oldest = asyncio.get_running_loop().time() - _KEEPALIVE_SECONDS
        while idle:
            line = idle.pop()
            if line.is_open and line.idle_since > oldest:
                return line
            line.close()
        return None

    async def _connected(self, place: _Place) -> _Line:
        try:
            async with asyncio.timeout(self._connect_seconds):
                return await self._connect(place)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(f"{place.named} does not answer") from error
        except UnicodeError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error

    async def _connect(self, place: _Place) -> _Line:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        # The addresses that are looked at are those that are connected to: a name cannot lead elsewhere a moment later.
        if self._may_reach is not None and not all(
            self._may_reach(str(one[4][0])) for one in found
        ):
            raise OSError(f"{place.host} leads to an address inside")
        made = await start_connection(found, happy_eyeballs_delay=_SECOND_ADDRESS_SECONDS)

        def is_free(line: _Line) -> None:
            self._idle[place.door].append(line)
            if self._sweep_at is None:
                self._sweep_at = loop.call_later(_KEEPALIVE_SECONDS, self._sweep)

        secured: dict[str, Any] = (
            {"ssl": self._trusted(), "server_hostname": place.host} if place.is_tls else {}
        )
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _, line = await loop.create_connection(
                lambda: _Line(self._silence, is_free), sock=made, **secured
            )
        except BaseException:
            made.close()
            raise
        self._lines.add(line)
        line.gone.add_done_callback(lambda _: self._lines.discard(line))
        return line

    def _sweep(self) -> None:
        """Hang up on connections that nobody has used for a while."""
        self._sweep_at = None
        loop = asyncio.get_running_loop()
        oldest = loop.time() - _KEEPALIVE_SECONDS
        for door, idle in list(self._idle.items()):
            young = [one for one in idle if one.is_open and one.idle_since > oldest]
            for line in set(idle) - set(young):
                line.close()
            if young:
                self._idle[door] = young
            else:
                del self._idle[door]
        if self._idle:
            self._sweep_at = loop.call_later(_KEEPALIVE_SECONDS, self._sweep)

    def _trusted(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpx.create_ssl_context(
                trust_env=False
            )  # takes a while, and http: needs none
        return self._tls

    async def aclose(self) -> None:
        """Close the connections."""
        if self._sweep_at is not None:
            self._sweep_at.cancel()
            self._sweep_at = None
        self._idle.clear()
        lines = [*self._lines]
        for line in lines:
            line.close()
        if lines:
            await asyncio.wait({line.gone for line in lines})
