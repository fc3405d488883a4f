"""Pure ASGI wrappers around a service: correlation, metrics, deadlines."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import UUID

from kantis_kit import observability
from kantis_kit.ids import new_id
from kantis_kit.web.problems import problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADER = b"x-correlation-id"


def _correlation(scope: Scope) -> UUID:
    for name, value in scope.get("headers", ()):
        if name == _HEADER:
            try:
                return UUID(value.decode("ascii"))
            except (ValueError, UnicodeDecodeError):
                break
    return new_id()


class Edge:
    """Gives each request a correlation id, a deadline, a metric and safe default headers."""

    def __init__(self, app: App, *, service: str, timeout_seconds: float) -> None:
        self._app = app
        self._service = service
        self._timeout = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        current = _correlation(scope)
        token = observability.correlation_id.set(current)
        started, status, begun = time.perf_counter(), 500, False

        async def tagged(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                headers = list(message.get("headers", ()))
                names = {name.lower() for name, _ in headers}
                headers.append((_HEADER, str(current).encode()))
                for name, value in _DEFAULT_HEADERS:
                    if name not in names:
                        headers.append((name, value))
                message = {**message, "headers": headers}
            await send(message)

        try:
            async with asyncio.timeout(self._timeout):
                await self._app(scope, receive, tagged)
        except TimeoutError:
            if begun:
                raise
            answer = problem(
                503,
                "too-slow",
                "That took too long",
                "Nothing was changed; try again in a moment.",
                headers={"Retry-After": "5"},
            )
            await answer(scope, receive, tagged)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            observability.requests_seconds.labels(
                self._service, scope["method"], route, str(status)
            ).observe(time.perf_counter() - started)
            observability.correlation_id.reset(token)


_DEFAULT_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
