"""The gateway's front: a pure ASGI application that every request passes.

shape of the request → route → key or address, limits → token for the service → body measured while it streams → service
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from urllib.parse import urlsplit
from uuid import UUID

from gateway.console.calls import CallAs
from gateway.console.server import CONSOLE, Console, is_console
from gateway.keys.errors import KeyRefused
from gateway.keys.gate import KeyGate, TokenMint
from gateway.limits.burst import Burst, Verdict
from gateway.limits.errors import TooFast
from gateway.own import OwnPages
from gateway.routes.body import MeteredBody, shape_of, too_large
from gateway.routes.checks import (
    METHODS,
    READS,
    Headers,
    by_name,
    caller_address,
    check_shape,
    passing_headers,
)
from gateway.routes.errors import NoSuchAddress
from gateway.routes.table import LEAD_PREFIX, Route, RouteTable
from gateway.settings import GatewaySettings
from gateway.spool.intake import LeadIntake, is_lead
from gateway.upstreams.clients import Upstreams
from gateway.upstreams.errors import UpstreamAway
from kantis_kit import observability
from kantis_kit.auth.principal import Principal
from kantis_kit.db.database import is_away
from kantis_kit.errors import AppError, Unavailable
from kantis_kit.ids import new_id
from kantis_kit.networks import Network
from kantis_kit.observability import OFF, Tracing, current_traceparent
from kantis_kit.web.deadlines import Deadlines
from kantis_kit.web.middleware import Message, Receive, Scope, Send
from kantis_kit.web.problems import problem

log = observability.get_logger(__name__)

_CORRELATION = b"x-correlation-id"
_TRACE = b"traceparent"
_DEFAULTS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_NO_KEY = "Send an API key: Authorization: Bearer kantis_…"
_Serve = Callable[[Scope, Receive, "_Exchange"], Awaitable[None]]


class Front:
    """Decides who may pass, and passes it on."""

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        table: RouteTable,
        upstreams: Upstreams,
        own: OwnPages,
        gate: KeyGate,
        mint: TokenMint,
        per_key: Burst,
        per_address: Burst,
        leads: LeadIntake,
        proxies: Sequence[Network],
        console: Callable[[CallAs], Console],
        tracing: Tracing = OFF,
    ) -> None:
        self._tracing = tracing
        self._console = console(self.call_as)
        self._settings = settings
        self._table = table
        self._upstreams = upstreams
        self._own = own
        self._gate = gate
        self._mint = mint
        self._per_key = per_key
        self._per_address = per_address
        self._leads = leads
        self._proxies = proxies
        self._hosts = tuple(host.lower() for host in settings.trusted_hosts)
        public = urlsplit(settings.public_url)
        self._host = public.netloc.encode()
        self._scheme = public.scheme or "http"
        self._own_headers = ((b"host", self._host), (b"x-forwarded-proto", self._scheme.encode()))
        # The service's own deadline comes first.
        self._deadlines = Deadlines(settings.request_timeout_seconds + 5)
        self._long_deadlines = Deadlines(settings.import_timeout_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = by_name(scope["headers"])
        correlation = _correlation(asked)
        token = observability.correlation_id.set(correlation)
        exchange = _Exchange(send, asked, correlation)
        started = time.perf_counter()
        try:
            with self._tracing.span("edge", kind="server", parent=_traceparent(asked)):
                await self._answer(self._serve, scope, receive, exchange)
        finally:
            observability.observe_request(
                "edge",
                exchange.method_label(scope),
                exchange.route,
                exchange.status,
                seconds=time.perf_counter() - started,
            )
            observability.correlation_id.reset(token)

    async def call_as(
        self, principal: Principal, address: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve a call of somebody whom we know, as if it had come with a key of their role: the way of every key."""

        async def serve(scope: Scope, receive: Receive, exchange: "_Exchange") -> None:
            check_shape(scope)
            route = self._route(scope["path"])
            self._count(exchange, self._per_key.hit(principal.id))
            headers = self._headers(scope, exchange, address)
            headers.append((b"authorization", self._mint.header(principal, route.service)))
            await self._to_service(route, scope, headers, receive, exchange)

        asked = by_name(scope["headers"])
        exchange = _Exchange(send, asked, observability.correlation_id.get() or new_id())
        exchange.address = address
        await self._answer(serve, scope, receive, exchange)

    async def _answer(
        self, serve: "_Serve", scope: Scope, receive: Receive, exchange: "_Exchange"
    ) -> None:
        refusal: AppError | None = None
        try:
            await serve(scope, receive, exchange)
        except AppError as error:
            refusal = error
        except Exception as error:
            if is_away(error) or isinstance(error, TimeoutError):
                refusal = Unavailable("Nothing was changed", headers={"Retry-After": "2"})
            else:
                log.exception("edge.failed", error=type(error).__name__)
                refusal = _Failed()
            if exchange.begun:
                raise
        if refusal is None or exchange.begun:
            return
        answer = problem(
            refusal.status,
            refusal.slug,
            refusal.title,
            refusal.detail,
            instance=scope["path"],
            errors=refusal.errors,
            headers=refusal.headers,
            extra=refusal.extra,
        )
        await answer(scope, receive, exchange)

    async def _serve(self, scope: Scope, receive: Receive, exchange: "_Exchange") -> None:
        path: str = scope["path"]
        page = self._own.find(path)
        check_shape(scope, trusted_hosts=self._hosts, allowed=METHODS if page is None else READS)
        if page is not None:
            exchange.route = "own"
            response = await self._own.answer(page, scope)
            await response(scope, receive, exchange)
            return
        address = exchange.address = caller_address(scope, self._proxies)
        if is_console(path):
            exchange.route = CONSOLE
            self._count(exchange, self._per_address.hit(address))
            response = await self._console.answer(scope, receive, address)
            await response(scope, receive, exchange)
            return
        try:
            route = self._route(path)
        except NoSuchAddress:
            self._count(exchange, self._per_address.hit(address))
            raise
        exchange.route = route.prefix
        headers = self._headers(scope, exchange, address)
        if route.needs_key:
            headers.append((b"authorization", await self._identify(exchange, route, address)))
        else:
            self._count(exchange, self._per_address.hit(address))
        await self._to_service(route, scope, headers, receive, exchange)

    def _route(self, path: str) -> Route:
        route = self._table.find(path)
        if route is None:
            raise NoSuchAddress(
                "No service answers this address; /openapi.json lists what there is"
            )
        return route

    async def _to_service(
        self,
        route: Route,
        scope: Scope,
        headers: Headers,
        receive: Receive,
        exchange: "_Exchange",
    ) -> None:
        body = _measured(exchange.asked, receive, route)
        onward: Scope = {
            "type": "http",
            "asgi": scope["asgi"],
            "http_version": scope.get("http_version", "1.1"),
            "method": scope["method"],
            "scheme": self._scheme,
            "path": scope["path"],
            "raw_path": scope.get("raw_path"),
            "query_string": scope.get("query_string", b""),
            "root_path": "",
            "headers": headers,
            "client": (exchange.address, 0),
            "server": scope.get("server"),
        }
        await self._pass_on(route, onward, body, exchange)

    async def _pass_on(
        self, route: Route, onward: Scope, body: MeteredBody, exchange: "_Exchange"
    ) -> None:
        upstream = self._upstreams.get(route.service)
        exchange.body = body
        deadlines = self._long_deadlines if route.is_long else self._deadlines
        try:
            with deadlines.begin():
                if route.prefix == LEAD_PREFIX and is_lead(onward):
                    response = await self._leads.serve(onward, body, exchange, upstream)
                    if response is not None:
                        await response(onward, body, exchange)
                    return
                if upstream is None:
                    raise UpstreamAway(
                        f"{route.service} is not running here", headers={"Retry-After": "5"}
                    )
                await upstream(onward, body, exchange)
        finally:
            exchange.body = None
            if body.problem is not None and not exchange.begun:
                raise body.problem

    async def _identify(self, exchange: "_Exchange", route: Route, address: str) -> bytes:
        given = exchange.asked.get(b"authorization", b"").decode("latin-1")
        scheme, _, key = given.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            self._count(exchange, self._per_address.hit(address))
            raise KeyRefused(_NO_KEY, headers={"WWW-Authenticate": 'Bearer realm="kantis"'})
        principal = await self._gate.principal(key.strip(), address=address)
        self._count(exchange, self._per_key.hit(principal.id))
        return self._mint.header(principal, route.service)

    def _count(self, exchange: "_Exchange", verdict: Verdict) -> None:
        if not verdict.allowed:
            raise TooFast(
                f"At most {verdict.limit} requests fit; wait {verdict.reset_seconds} s",
                headers=verdict.headers(refused=True),
            )
        exchange.verdict = verdict

    def _headers(self, scope: Scope, exchange: "_Exchange", address: str) -> Headers:
        headers = passing_headers(scope["headers"])
        headers += self._own_headers
        headers.append((b"x-forwarded-for", address.encode("latin-1", "replace")))
        headers.append((_CORRELATION, exchange.correlation))
        trace = current_traceparent()
        if trace is not None:
            headers = [(name, value) for name, value in headers if name != _TRACE]
            headers.append((_TRACE, trace.encode()))
        return headers


class _Failed(AppError):
    slug, status, title = "internal", 500, "Something went wrong here"

    def __init__(self) -> None:
        super().__init__("The failure is logged under the correlation id.")


class _Exchange:
    """The way back: notes what has begun, adds our headers, holds back what came after a passed limit."""

    def __init__(self, send: Send, asked: Mapping[bytes, bytes], correlation: UUID) -> None:
        self._send = send
        self.asked = asked
        """The headers of the request."""
        self.correlation = str(correlation).encode()
        self.address = ""
        """Where the request comes from."""
        self.begun = False
        self.status = 500
        self.route = "none"
        self.verdict: Verdict | None = None
        self.body: MeteredBody | None = None

    async def __call__(self, message: Message) -> None:
        if not self.begun and self.body is not None and self.body.problem is not None:
            return  # the service answers a request that it has seen half of; the caller is told why instead
        if message["type"] == "http.response.start":
            self.begun, self.status = True, message["status"]
            message = {**message, "headers": self._with_ours(message.get("headers", ()))}
        await self._send(message)

    def _with_ours(self, given: Iterable[tuple[bytes, bytes]]) -> Headers:
        headers = list(given)
        names = {name.lower() for name, _ in headers}
        if _CORRELATION not in names:
            headers.append((_CORRELATION, self.correlation))
        headers.extend((name, value) for name, value in _DEFAULTS if name not in names)
        if self.verdict is not None and b"ratelimit-limit" not in names:
            headers += self.verdict.raw_headers()
        return headers

    def method_label(self, scope: Scope) -> str:
        """Return the method for the metric: what is none of ours is not counted by its own name."""
        method: str = scope["method"]
        return method if self.route != "none" else "any"


def _measured(asked: Mapping[bytes, bytes], receive: Receive, route: Route) -> MeteredBody:
    length = asked.get(b"content-length")
    if length is not None and int(length) > route.max_body_bytes:
        raise too_large(route.max_body_bytes)
    kind = asked.get(b"content-type", b"").decode("latin-1")
    return MeteredBody(receive, limit=route.max_body_bytes, shape=shape_of(kind))


def _correlation(asked: Mapping[bytes, bytes]) -> UUID:
    given = asked.get(_CORRELATION)
    if given is not None:
        try:
            return UUID(given.decode("ascii"))
        except (ValueError, UnicodeDecodeError):
            pass
    return new_id()


def _traceparent(asked: Mapping[bytes, bytes]) -> str | None:
    given = asked.get(_TRACE)
    return given.decode("latin-1") if given is not None else None


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
