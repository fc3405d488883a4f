"""The short way of an order: a pure ASGI branch in front of the API, where many orders share a look and a statement.

It answers only what it can answer with success; a caller who may not, a body that does not fit, goods that are short and
everything that is not plain go to the API as they came.
"""

from types import SimpleNamespace

import orjson
from asyncpg.exceptions import UniqueViolationError
from pydantic import ValidationError

from kantis_kit import failpoints, observability
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import TokenVerifier
from kantis_kit.db.database import is_away
from kantis_kit.groups import StatementWriter
from kantis_kit.service import Service
from kantis_kit.web.middleware import App, Receive, Scope, Send
from kantis_kit.web.router import is_key, key_owner, request_digest
from kantis_kit.web.short import again, caller_of, json_headers, read_small
from orders_svc.checkout.together import Answer, GoneMeanwhile, Key, Post, place_together
from orders_svc.orders.schemas import OrderIn
from orders_svc.settings import OrdersSettings

log = observability.get_logger(__name__)

ORDER_SCOPE = "orders:write"
MOST_BYTES = 16_384
_PATH = "/v1/orders"
_ROUTE = SimpleNamespace(path=_PATH)
_ANOTHERS = (GoneMeanwhile, UniqueViolationError)
"""Somebody else was first: the API says to what that leads."""


def fast_orders(service: Service, app: App) -> App:
    """Put the short way in front of the API; where everybody has a limit, what they owe is asked for each, the long way."""
    settings = service.scope.settings
    assert isinstance(settings, OrdersSettings)  # noqa: S101 - narrows the type
    return app if settings.credit_limit_minor is not None else FastOrders(service, app)


class FastOrders:
    """Takes orders in groups."""

    def __init__(self, service: Service, app: App) -> None:
        self._app = app
        self._verifier = TokenVerifier(
            service.keys, audience=service.spec.name, clock=service.clock
        )
        self._writer: StatementWriter[Post, Answer | None] = StatementWriter(
            service.scope, place_together
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_order = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == _PATH
        headers = json_headers(scope["headers"]) if is_order else None
        caller = None if headers is None else caller_of(headers, self._verifier, ORDER_SCOPE)
        if headers is None or caller is None:
            await self._app(scope, receive, send)
            return
        messages, content = await read_small(receive, MOST_BYTES)
        post = None if content is None else _read(scope, headers, caller, content)
        answer = None if post is None else await self._place(post)
        if answer is None:
            await self._app(scope, again(messages, receive), send)
            return
        await failpoints.reach("web.answered")
        scope["route"] = _ROUTE
        raw = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        raw.append((b"content-length", b"%d" % len(answer.content)))
        await send({"type": "http.response.start", "status": 201, "headers": raw})
        await send({"type": "http.response.body", "body": answer.content})

    async def _place(self, post: Post) -> Answer | None:
        try:
            return await self._writer.write(post)
        except Exception as error:  # noqa: BLE001 - the API finds the same, and says what it is
            is_usual = isinstance(error, _ANOTHERS) or is_away(error)
            (log.info if is_usual else log.warning)(
                "checkout.not_together", error=type(error).__name__
            )
            return None


def _read(
    scope: Scope, headers: dict[bytes, bytes], caller: Principal, content: bytes
) -> Post | None:
    """Return an order; None for what the API is to look at."""
    given = headers.get(b"idempotency-key")
    try:
        body = OrderIn.model_validate(orjson.loads(content))
    except (ValidationError, orjson.JSONDecodeError):
        return None  # refused by the API, in its words
    if given is None:
        return Post(body)
    key = given.decode("latin-1")
    if not is_key(key):
        return None
    digest = request_digest(scope, content)
    return Post(body, Key(key_owner(caller.id, digest), key, digest))
