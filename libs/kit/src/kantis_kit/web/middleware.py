"""Pure ASGI wrappers around a service: correlation, metrics, deadlines."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import UUID

from kantis_kit import observability
from kantis_kit.ids import new_id
from kantis_kit.web.deadlines import Deadline, Deadlines
from kantis_kit.web.problems import MEDIA_TYPE, METHODS, problem

log = observability.get_logger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADER = b"x-correlation-id"
BODY_DEADLINES = 20  # ten minutes by default, as long as the gateway waits for an import


def _correlation(scope: Scope) -> UUID:
    for name, value in scope.get("headers", ()):
        if name == _HEADER:
            try:
                return UUID(value.decode("ascii"))
            except (ValueError, UnicodeDecodeError):
                break
    return new_id()


def route_of(scope: Scope) -> str:
    """Return the route's pattern, for logs and metrics: a path may hold a person's token."""
    return str(getattr(scope.get("route"), "path", "other"))


def _method_of(scope: Scope) -> str:
    """Return the method for metrics: one that nobody knows is anybody's invention, and each would be a series."""
    method: str = scope["method"]
    return method if method in METHODS else "other"


class Edge:
    """Gives each request a correlation id, a deadline, a metric and safe default headers."""

    def __init__(self, app: App, *, service: str, timeout_seconds: float) -> None:
        self._app = app
        self._service = service
        self._timeout = timeout_seconds
        self._deadlines = Deadlines(timeout_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        current = _correlation(scope)
        token = observability.correlation_id.set(current)
        answer = _Answer(send, current)
        started = time.perf_counter()
        try:
            if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
                await answer.problem(
                    400,
                    "nul-character",
                    "The request cannot be read",
                    "The address holds a NUL character (%00), which cannot be stored; leave it out.",
                )
                return
            with self._deadlines.begin() as deadline:
                await self._app(scope, self._arriving(receive, deadline), answer.send)
        except TimeoutError:
            if answer.status:
                raise
            await answer.problem(
                503, "too-slow", "That took too long", "Nothing was changed; try again in a moment."
            )
        except Exception as error:
            # The framework has answered with a problem and raises again for the server's log; ours has it already.
            if not answer.status:
                log.exception("web.failed", route=route_of(scope), error=type(error).__name__)
                await answer.problem(
                    500,
                    "internal",
                    "Something went wrong here",
                    "The failure is logged under the correlation id.",
                )
        finally:
            observability.observe_request(
                self._service,
                _method_of(scope),
                route_of(scope),
                answer.status or HTTP_FAILED,
                seconds=time.perf_counter() - started,
            )
            observability.correlation_id.reset(token)

    def _arriving(self, receive: Receive, deadline: Deadline) -> Receive:
        """Move the deadline while a body in several parts comes in: a large file takes the time that its line needs."""
        last = deadline.due_at + self._timeout * (BODY_DEADLINES - 1)
        in_parts = False

        async def arriving() -> Message:
            nonlocal in_parts
            message = await receive()
            in_parts = in_parts or bool(message.get("more_body"))
            if in_parts and message["type"] == "http.request":
                now = asyncio.get_running_loop().time()
                deadline.move(min(last, now + self._timeout))
            return message

        return arriving


class _Answer:
    """Passes an answer on, tagged; a refusal of the framework in plain text becomes a problem."""

    def __init__(self, send: Send, correlation: UUID) -> None:
        self._send = send
        self._correlation = correlation
        self._replaced = False
        self.status = 0

    async def send(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            if (
                self.status == HTTP_TOO_LARGE
                and (b"content-type", MEDIA_TYPE.encode()) not in headers
            ):
                await self.problem(
                    HTTP_TOO_LARGE,
                    "too-large",
                    "The body is too large",
                    "Send less at a time, or a file to an import.",
                )
                self._replaced = True
                return
            names = {name.lower() for name, _ in headers}
            headers.append((_HEADER, str(self._correlation).encode()))
            headers += [(name, value) for name, value in _DEFAULT_HEADERS if name not in names]
            message = {**message, "headers": headers}
        await self._send(message)

    async def problem(self, status: int, slug: str, title: str, detail: str) -> None:
        headers = {"Retry-After": "5"} if status == HTTP_BUSY else None
        await problem(status, slug, title, detail, headers=headers)(
            {"type": "http"}, _nothing, self.send
        )


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


HTTP_TOO_LARGE, HTTP_FAILED, HTTP_BUSY = 413, 500, 503
_DEFAULT_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
