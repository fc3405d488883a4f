"""Build the ASGI applications of a service: the API, and its public pages."""

from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from kantis_kit.auth.policy import Policy
from kantis_kit.web.problems import MEDIA_TYPE, add_problem_handlers
from kantis_kit.web.router import Router, RouteWithoutPolicy
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


def _routes(routes: Iterable[Any]) -> Iterable[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route


def check_policies(app: FastAPI) -> None:
    """Refuse an application in which a route has no policy."""
    for route in _routes(app.routes):
        extra = route.openapi_extra or {}
        if not isinstance(extra.get("x-kantis-policy-object"), Policy):
            message = f"{sorted(route.methods or ())} {route.path} has no policy"
            raise RouteWithoutPolicy(message)


def create_api(
    runtime: WebRuntime,
    routers: Sequence[Router],
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
        openapi_url="/openapi.json",
    )
    app.state.kantis = runtime
    add_problem_handlers(app)
    for router in routers:
        app.include_router(router)
    check_policies(app)
    app.openapi = lambda: _describe(app)  # type: ignore[method-assign]
    return app


def create_public(
    runtime: WebRuntime, routers: Sequence[Router], *, max_body_bytes: int
) -> FastAPI:
    """Build a service's public pages: no keys, no description, their own error pages may be added."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, max_body_size=max_body_bytes)
    app.state.kantis = runtime
    add_problem_handlers(app)
    for router in routers:
        app.include_router(router)
    check_policies(app)
    return app


def _describe(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema:
        return app.openapi_schema
    policies: dict[tuple[str, str], Policy] = {}
    kept: list[tuple[APIRoute, dict[str, Any]]] = []
    for route in _routes(app.routes):
        extra = dict(route.openapi_extra or {})
        policy = extra.pop("x-kantis-policy-object")
        for method in route.methods or ():
            policies[(route.path, method.lower())] = policy
        kept.append((route, route.openapi_extra or {}))
        route.openapi_extra = extra
    try:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    finally:
        for route, original in kept:
            route.openapi_extra = original
    schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
    schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            policy = policies.get((path, method))
            if policy is None:
                continue
            operation["x-kantis-policy"] = policy.label
            if not policy.public_reason:
                operation["security"] = [{"key": []}]
            responses = operation["responses"]
            responses.pop("422", None)
            responses.update(
                {code: body for code, body in _PROBLEMS.items() if code not in responses}
            )
            if method == "post":
                operation.setdefault("parameters", []).append(
                    {
                        "name": "Idempotency-Key",
                        "in": "header",
                        "required": False,
                        "description": "Send the same key again to get the same answer and no second effect.",
                        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                    }
                )
    app.openapi_schema = schema
    return schema
