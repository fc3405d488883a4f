"""Build the ASGI applications of a service: the API, and its public pages."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig

from kantis_kit.auth.policy import Policy
from kantis_kit.web.problems import MEDIA_TYPE, add_problem_handlers
from kantis_kit.web.router import KEYED, Router, RouteWithoutPolicy
from kantis_kit.web.state import WebRuntime

_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:kantis:problem:not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "correlation_id": {"type": "string", "format": "uuid"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "in": {"type": "string"},
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Send the same request with the same key again to get the same answer and no second effect, for seven days;"
        " without a key, a change that is sent again is judged anew, by its If-Match where it has one."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_PROBLEMS = {
    code: {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for code, text in (
        ("400", "The request cannot be read"),
        ("401", "No valid API key"),
        ("403", "The key lacks the scope"),
        ("404", "Absent, or not yours"),
        ("409", "A rule forbids it now"),
        ("412", "Changed since you read it"),
        ("413", "The body is too large"),
        ("415", "This kind of content is not understood"),
        ("422", "The input is not valid"),
        ("429", "Too many requests"),
        ("503", "Try again in a moment"),
    )
}


def check_policies(routers: Iterable[APIRouter]) -> None:
    """Refuse routers in which a route has no policy, those that they include too."""
    for router in routers:
        for route in router.routes:
            included = getattr(route, "original_router", None)
            if isinstance(included, APIRouter):
                check_policies([included])
            elif (
                not isinstance(route, APIRoute)
                or Policy.from_extra(route.openapi_extra or {}) is None
            ):
                message = f"{getattr(route, 'path', route)} has no policy"
                raise RouteWithoutPolicy(message)


def _telemetry(runtime: WebRuntime) -> TelemetryConfig:
    return cast("TelemetryConfig", runtime.scope.tracing.telemetry())


def _include(app: FastAPI, router: APIRouter, max_body_bytes: int) -> None:
    """Include a router; what its routes need is worked out once in a process, for every app that has them.

    It takes a tenth of a second for a large service, at the first request; tests make an app each.
    """
    included = router.included if isinstance(router, Router) else {}
    if max_body_bytes in included:
        app.router.routes.append(included[max_body_bytes])
    else:
        app.include_router(router)
        included[max_body_bytes] = app.router.routes[-1]


def create_api(
    runtime: WebRuntime,
    routers: Sequence[APIRouter],
    *,
    title: str,
    version: str,
    max_body_bytes: int,
) -> FastAPI:
    """Build a service's API under `/v1`."""
    app = FastAPI(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        max_body_size=max_body_bytes,
        telemetry=_telemetry(runtime),
        openapi_url="/openapi.json",
    )
    app.state.kantis = runtime
    add_problem_handlers(app)
    check_policies(routers)
    for router in routers:
        _include(app, router, max_body_bytes)
    app.openapi = lambda: _describe(app)  # type: ignore[method-assign]
    return app


def create_public(
    runtime: WebRuntime, routers: Sequence[APIRouter], *, max_body_bytes: int
) -> FastAPI:
    """Build a service's public pages: no keys, no description, their own error pages may be added."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        max_body_size=max_body_bytes,
        telemetry=_telemetry(runtime),
    )
    app.state.kantis = runtime
    add_problem_handlers(app)
    check_policies(routers)
    for router in routers:
        _include(app, router, max_body_bytes)
    return app


def _describe(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
    schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for operations in schema["paths"].values():
        for method, operation in operations.items():
            _complete(method, operation)
    app.openapi_schema = schema
    return schema


def _complete(method: str, operation: dict[str, Any]) -> None:
    if operation.get("description"):
        # What the function says of itself reads better in a list than its name.
        operation["summary"] = operation["description"].splitlines()[0].rstrip(".")
    policy = Policy.from_extra(operation)
    if policy is None or not policy.public_reason:
        operation["security"] = [{"key": []}]
    responses = operation["responses"]
    responses.pop("422", None)
    responses.update({code: body for code, body in _PROBLEMS.items() if code not in responses})
    if method.upper() in KEYED:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
