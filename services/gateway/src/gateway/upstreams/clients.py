"""Services as the gateway reaches them.

An upstream is an ASGI application: the service itself when it runs in this process, or `HttpUpstream` when it runs in
another one. Either way it may raise `UpstreamAway` before it has answered anything.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable
from typing import Protocol
from urllib.parse import quote

import aiohttp
from yarl import URL

from gateway.routes.checks import answer_headers, header
from gateway.upstreams.errors import UpstreamAway
from kantis_kit import observability
from kantis_kit.clock import Clock, SystemClock
from kantis_kit.http import IDEMPOTENT, Breaker
from kantis_kit.web.middleware import Message, Receive, Scope, Send

log = observability.get_logger(__name__)

SMALL_BODY_BYTES = 64 * 1024
CONNECT_SECONDS = 2.0
PAUSE_SECONDS = 2.0
_DECIDED_BY_US = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class Upstream(Protocol):
    """What answers for a service."""

    def __call__(self, scope: Scope, receive: Receive, send: Send, /) -> Awaitable[None]:
        """Serve one request. Raises `UpstreamAway` when nothing was answered."""
        ...


class Upstreams(dict[str, Upstream]):
    """The upstreams by the name of their service; a type of its own, so that use cases can ask for it."""

    async def close(self) -> None:
        """Close what holds connections."""
        for upstream in self.values():
            if isinstance(upstream, HttpUpstream):
                await upstream.close()


class _CallerGone(Exception):
    """The caller's body ended early: because it left, or because it passed a limit."""


class _Source:
    """The caller's body; remembers when it ended early, which says nothing about the service."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_gone = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.is_gone = True
            raise _CallerGone
        return message


class _Sink:
    """The way back; remembers whether the answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        await self._send(message)


class HttpUpstream:
    """A service in another process, over kept-alive connections, streaming both ways."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        timeout_seconds: float = 30.0,
        connections: int = 100,
        clock: Clock | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self.name = name
        self._base = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=timeout_seconds
        )
        self._connections = connections
        self._clock = clock or SystemClock()
        # A refused connection costs nothing: a service that starts again is looked for soon.
        self.breaker = breaker or Breaker(pause_seconds=PAUSE_SECONDS)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and its answer back."""
        if not self.breaker.allows(self._clock.now().timestamp()):
            raise self._away("has failed too often lately and is left alone for a while")
        source, sink = _Source(receive), _Sink(send)
        try:
            await self._attempt(scope, source, sink)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            if source.is_gone:
                self._let_go()
                return
            self._record(good=False)
            log.warning(
                "upstream.away", upstream=self.name, error=type(error).__name__, begun=sink.begun
            )
            if sink.begun:
                raise
            raise self._away("does not answer") from error
        except _CallerGone:
            self._let_go()
        except BaseException:
            self._let_go()
            raise
        else:
            self._record(good=True)

    def _record(self, *, good: bool) -> None:
        self.breaker.record(good=good, now=self._clock.now().timestamp())

    def _let_go(self) -> None:
        # Neither good nor bad: but a trial that ended like this must not keep the breaker shut for ever.
        self.breaker.trial = False

    def _away(self, what: str) -> UpstreamAway:
        wait = 1.0
        if self.breaker.opened_at is not None:
            now = self._clock.now().timestamp()
            wait = max(1.0, self.breaker.opened_at + self.breaker.pause_seconds - now)
        return UpstreamAway(
            f"{self.name} {what}; try again in a moment",
            headers={"Retry-After": str(math.ceil(wait))},
        )

    async def _attempt(self, scope: Scope, receive: "_Source", send: "_Sink") -> None:
        body = await _body(receive)
        repeatable = scope["method"] in IDEMPOTENT or header(scope, b"idempotency-key") is not None
        try:
            await self._send(scope, body, send)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            # A kept-alive connection that the other side has closed meanwhile. Sent once more only when doing it twice
            # has the effect of doing it once.
            fresh = isinstance(error, aiohttp.ClientConnectorError)
            if fresh or send.begun or not repeatable or isinstance(body, AsyncIterator):
                raise
            await self._send(scope, body, send)

    async def _send(
        self, scope: Scope, body: bytes | AsyncIterator[bytes] | None, send: Send
    ) -> None:
        method: str = scope["method"]
        async with self._open().request(
            method,
            self._url(scope),
            headers=[
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in scope["headers"]
            ],
            data=body,
            allow_redirects=False,
        ) as answer:
            await send(
                {
                    "type": "http.response.start",
                    "status": answer.status,
                    "headers": answer_headers(answer.raw_headers),
                }
            )
            if method != "HEAD":
                async for chunk in answer.content.iter_any():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, keepalive_timeout=20, ttl_dns_cache=10
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=self._timeout,
                trust_env=False,
                skip_auto_headers=_DECIDED_BY_US,
            )
        return self._session

    def _url(self, scope: Scope) -> URL:
        raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        query: bytes = scope.get("query_string", b"")
        text = self._base + raw.decode("ascii")
        if query:
            text += "?" + quote(query.decode("latin-1"), safe="=&%+;/?:@!$'()*,~-._[]")
        return URL(text, encoded=True)


async def _body(receive: "_Source") -> bytes | AsyncIterator[bytes] | None:
    """Return a small body whole, so that it can be sent again, and a large one as a stream."""
    chunks: list[bytes] = []
    size = 0
    while size <= SMALL_BODY_BYTES:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if not message.get("more_body", False):
            return b"".join(chunks) or None
    return _stream(b"".join(chunks), receive)


async def _stream(begun: bytes, receive: "_Source") -> AsyncIterator[bytes]:
    yield begun
    more = True
    while more:
        message = await receive()
        if message.get("body"):
            yield message["body"]
        more = message.get("more_body", False)


async def fetch(
    upstream: Upstream, path: str, *, timeout_seconds: float
) -> tuple[int, bytes] | None:
    """Read one of a service's own pages; None when it does not answer in time."""
    status, chunks = 0, []

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            chunks.append(message.get("body", b""))

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"gateway")],
        "client": ("127.0.0.1", 0),
        "server": ("gateway", 80),
    }
    try:
        async with asyncio.timeout(timeout_seconds):
            await upstream(scope, receive, send)
    except (UpstreamAway, OSError, TimeoutError, aiohttp.ClientError):
        return None
    return (status, b"".join(chunks)) if status else None
