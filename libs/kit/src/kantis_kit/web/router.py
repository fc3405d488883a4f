"""Routes with a policy, in one transaction each, with the answer stored next to its effect.

The route opens the transaction when its handler asks for one and commits it after the answer has been built and before
it leaves: a client never sees a success that was not committed. With an `Idempotency-Key` the answer is a row of the
same transaction, whatever the method is that changes something: who sends a change once more because its answer was lost
gets that answer, not a refusal because the version is another by now.
"""

import hashlib
from collections.abc import Callable, Coroutine, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import text
from starlette.routing import BaseRoute

from kantis_kit import failpoints
from kantis_kit.auth.policy import Policy
from kantis_kit.auth.principal import ANONYMOUS, Principal
from kantis_kit.errors import AppError, Conflict, Forbidden, Invalid, Unauthenticated
from kantis_kit.tx import Tx
from kantis_kit.web.bodies import kept
from kantis_kit.web.state import RequestState, runtime_of

KEYED = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that take an idempotency key: whatever changes something."""
MAX_KEY = 255
_OWNER_BYTES = 16
F = TypeVar("F", bound=Callable[..., Any])
Inner = Callable[[Request], Coroutine[Any, Any, Response]]
HTTP_ERROR = 400


class IdempotencyMismatch(AppError):
    """The same key came with another request."""

    slug, status, title = (
        "idempotency-mismatch",
        422,
        "This idempotency key was used for another request",
    )


class StillRunning(Conflict):
    """The first request with this key has not ended."""

    slug, title = "still-running", "The first request with this key is still running"


_TAKE_KEY = text(
    """
    INSERT INTO idempotency (caller, route, key, request_hash, stored_at)
    VALUES (:caller, :route, :key, :request_hash, :now) ON CONFLICT DO NOTHING RETURNING key
    """
)
_STORED = text(
    "SELECT request_hash, status, headers, body FROM idempotency"
    " WHERE caller = :caller AND route = :route AND key = :key"
)
_STORE = text(
    "UPDATE idempotency SET status = :status, headers = cast(:headers AS jsonb), body = :body"
    " WHERE caller = :caller AND route = :route AND key = :key"
)


class KantisRoute(APIRoute):
    """A route that owns its transaction."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler: policy, idempotency, transaction."""
        inner = super().get_route_handler()
        extra = self.openapi_extra or {}
        policy = Policy.from_extra(extra)
        template = self.path

        async def handler(request: Request) -> Response:
            runtime = runtime_of(request)
            principal = authorise(request, policy)
            state = RequestState(runtime.scope, principal)
            request.state.kantis = state
            async with state:
                key = request.headers.get("idempotency-key")
                if request.method not in KEYED or key is None:
                    response = await inner(request)
                    await _audit(state, policy, request, response)
                    if response.status_code < HTTP_ERROR:
                        await state.finish()
                    return response
                return await _once(request, state, key, _Route(policy, template, inner))

        return handler


def authorise(request: Request, policy: Policy | None) -> Principal:
    """Check the caller against the route's policy; no policy means no."""
    if policy is None:
        raise Forbidden("This route has no policy")
    runtime = runtime_of(request)
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if policy.public_reason and not header:
        return ANONYMOUS
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"})
    principal = runtime.verifier.verify(token)
    if policy.scope and not principal.may(policy.scope):
        raise Forbidden(f"This key lacks the scope {policy.scope}", scope=policy.scope)
    return principal


async def _audit(
    state: RequestState, policy: Policy | None, request: Request, response: Response
) -> None:
    if (
        policy is not None
        and policy.privileged
        and request.method != "GET"
        and response.status_code < HTTP_ERROR
    ):
        tx = await state.write()
        if not tx.has_audited:  # the use case says more of what it did than its address can
            tx.audit(f"{request.method} {request.scope['route'].path}", request.scope["path"])


@dataclass(frozen=True, slots=True)
class _Route:
    policy: Policy | None
    template: str
    inner: Inner


def is_key(key: str) -> bool:
    """Say whether a text can be an idempotency key."""
    return 0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()


def request_digest(scope: MutableMapping[str, Any], body: bytes) -> bytes:
    """Return what a repeated post must be the same in: address, query and body."""
    digest = _target_digest(scope)
    digest.update(body)
    return digest.digest()


def _target_digest(scope: MutableMapping[str, Any]) -> "hashlib._Hash":
    target = f"{scope['path']}?{scope.get('query_string', b'').decode('latin-1')}"
    return hashlib.sha256(target.encode() + b"\n")


def key_owner(caller: str, digest: bytes) -> str:
    """Return whose idempotency keys these are: a caller's own; of those whom nobody knows, those of the same request.

    Two visitors may come with one key, by chance or because a site sends the same one for all: neither gets the answer of
    the other, and neither is refused for it.
    """
    return caller if caller != ANONYMOUS.id else f"{caller}:{digest[:_OWNER_BYTES].hex()}"


def stored_headers(response: Response) -> str:
    """Return, as JSON, the headers that a repeated request gets with the stored answer."""
    return orjson.dumps(
        {
            k: v
            for k, v in response.headers.items()
            if k.lower() in ("location", "etag", "content-type")
        }
    ).decode()


async def _once(request: Request, state: RequestState, key: str, route: _Route) -> Response:
    if not is_key(key):
        raise Invalid(f"Idempotency-Key: 1 to {MAX_KEY} printable ASCII characters")
    digest = _target_digest(request.scope)
    if request.method != "POST" and (version := request.headers.get("if-match")):
        # A change of another version is another change; the digest of a post is `request_digest`.
        digest.update(b"if-match: " + version.encode() + b"\n")
    # The whole body before the first statement: no transaction stands open while a slow caller sends.
    async with kept(request, state.scope.settings.data_dir, digest.update) as again:
        return await _effect_or_answer(again, state, key, route, digest.digest())


async def _effect_or_answer(
    request: Request, state: RequestState, key: str, route: _Route, digest: bytes
) -> Response:
    tx = await state.write()
    where = {
        "caller": key_owner(state.principal.id, digest),
        "route": f"{request.method} {route.template}",
        "key": key,
    }
    # A second request with the same key waits here until the first has committed or failed.
    mine = await tx.scalar(_TAKE_KEY, {**where, "request_hash": digest, "now": tx.clock.now()})
    if mine is None:
        return await _stored_answer(tx, where, digest)
    response = await route.inner(request)
    if response.status_code >= HTTP_ERROR:
        return response
    await _audit(state, route.policy, request, response)
    await tx.execute(
        _STORE,
        {
            **where,
            "status": response.status_code,
            "headers": stored_headers(response),
            "body": bytes(response.body) if state.stored_body is None else state.stored_body,
        },
    )
    await state.finish()
    await failpoints.reach("web.answered")
    return response


async def _stored_answer(tx: Tx, where: dict[str, str], digest: bytes) -> Response:
    row = (await tx.execute(_STORED, where)).first()
    if row is None or row.status is None:
        raise StillRunning(
            "Wait for it, then send the same request again", headers={"Retry-After": "1"}
        )
    if bytes(row.request_hash) != digest:
        raise IdempotencyMismatch(
            "Use a new key for a new request, or repeat the first one unchanged"
        )
    headers = orjson.loads(row.headers) if isinstance(row.headers, str) else row.headers
    return Response(
        content=bytes(row.body),
        status_code=row.status,
        headers={**headers, "Idempotency-Replayed": "true"},
    )


class RouteWithoutPolicy(TypeError):
    """A route was declared without saying who may use it."""


class Router(APIRouter):
    """An APIRouter whose routes must name their policy: `@router.get("/x", policy=needs("x:read"))`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("route_class", KantisRoute)
        super().__init__(**kwargs)
        self.included: dict[int, BaseRoute] = {}
        """What apps have made of it, by their limit of bodies."""

    def declare(
        self, method: str, path: str, *, policy: Policy | None = None, **kwargs: Any
    ) -> Callable[[F], F]:
        """Declare a route. Raises `RouteWithoutPolicy`."""
        if not isinstance(policy, Policy):
            message = f"{method} {self.prefix}{path} needs policy=needs(…) or policy=public(…)"
            raise RouteWithoutPolicy(message)
        extra = dict(kwargs.pop("openapi_extra", None) or {})
        extra.update(policy.as_extra())
        return super().api_route(path, methods=[method], openapi_extra=extra, **kwargs)

    def get(self, path: str, **kwargs: Any) -> Callable[[F], F]:
        """Declare a read; it changes nothing."""
        return self.declare("GET", path, **kwargs)

    def head(self, path: str, **kwargs: Any) -> Callable[[F], F]:
        """Declare a read without a body."""
        return self.declare("HEAD", path, **kwargs)

    def options(self, path: str, **kwargs: Any) -> Callable[[F], F]:
        """Declare what a browser asks before it calls from another site."""
        return self.declare("OPTIONS", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Callable[[F], F]:
        """Declare an action or a creation; honours Idempotency-Key."""
        return self.declare("POST", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> Callable[[F], F]:
        """Declare a replacement; honours Idempotency-Key."""
        return self.declare("PUT", path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> Callable[[F], F]:
        """Declare a change of some fields; honours Idempotency-Key."""
        return self.declare("PATCH", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Callable[[F], F]:
        """Declare a removal; honours Idempotency-Key."""
        return self.declare("DELETE", path, **kwargs)
