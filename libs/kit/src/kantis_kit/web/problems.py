"""Every refusal is `application/problem+json` (RFC 9457): what, where, how to mend it."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.exceptions import HTTPException
from starlette.routing import Match

from kantis_kit import observability
from kantis_kit.db.database import is_away
from kantis_kit.errors import AppError
from kantis_kit.observability import correlation_id
from kantis_kit.web.patterns import in_words

log = observability.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "urn:kantis:problem:"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_METHOD_REFUSED = 405

_TITLES = {
    400: "The request cannot be read",
    401: "Send a valid API key as a bearer token",
    403: "This key may not do that",
    404: "There is no such thing",
    405: "This address does not know that method",
    406: "Nothing that you accept can be given",
    413: "The body is too large",
    415: "This kind of content is not understood",
    422: "The input is not valid",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "Try again in a moment",
}


def problem(
    status: int,
    slug: str,
    title: str,
    detail: str,
    *,
    instance: str = "",
    errors: Sequence[dict[str, Any]] = (),
    headers: dict[str, str] | None = None,
    extra: dict[str, Any] | None = None,
) -> JSONResponse:
    """Build the answer."""
    body: dict[str, Any] = {
        "type": f"{TYPE_BASE}{slug}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if instance:
        body["instance"] = instance
    if errors:
        body["errors"] = list(errors)
    current = correlation_id.get()
    if current is not None:
        body["correlation_id"] = str(current)
    body.update(extra or {})
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def validation_errors(error: RequestValidationError) -> list[dict[str, Any]]:
    """Turn pydantic's findings into `{field, message}`; what was sent is not repeated."""
    found = []
    for one in error.errors():
        where = [str(part) for part in one["loc"]]
        place, field = where[0] if where else "body", ".".join(where[1:])
        found.append({"in": place, "field": field, "message": message_of(one)})
    return found


def message_of(one: Mapping[str, Any]) -> str:
    """Return the finding's sentence; where pydantic speaks of its own workings, what to write instead."""
    match one["type"]:
        case "extra_forbidden":
            return (
                "There is no such field here; leave it out or see its name in the API's description"
            )
        case "union_tag_not_found":
            return f"Say which kind this is, in the field {one['ctx']['discriminator']}"
        case "union_tag_invalid":
            return f"{one['ctx']['discriminator']} is one of {one['ctx']['expected_tags']}"
        case "string_pattern_mismatch":
            return in_words(str(one["ctx"]["pattern"]))
        case _:
            return str(one["msg"])


def _instance(request: Request) -> str:
    return str(request.scope.get("path", ""))


def _route(request: Request) -> str:
    # The pattern, for logs: a path may hold a person's token.
    return str(getattr(request.scope.get("route"), "path", "other"))


def _allowed(request: Request) -> str:
    """Return the methods that the address knows by any of the routes that it fits; a route knows of its own alone."""
    where = {
        "type": "http",
        "path": request.scope["path"],
        "root_path": request.scope.get("root_path", ""),
        "headers": [],
    }
    return ", ".join(
        method
        for method in METHODS
        if any(
            route.matches({**where, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    )


def from_app_error(request: Request, error: AppError) -> JSONResponse:
    """Render one of our own refusals."""
    return problem(
        error.status,
        error.slug,
        error.title,
        error.detail,
        instance=_instance(request),
        errors=error.errors,
        headers=error.headers,
        extra=error.extra,
    )


async def _on_crowd(request: Request, _error: Exception) -> JSONResponse:
    """Tell who finds no connection to the database free: it is neither away nor did anything fail."""
    log.warning("web.crowded", route=_route(request))
    return problem(
        503,
        "unavailable",
        _TITLES[503],
        "Too many ask at once; nothing was changed, send it again a little later.",
        instance=_instance(request),
        headers={"Retry-After": "2"},
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Render every error of an application as a problem."""

    async def on_app_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, AppError)  # noqa: S101 - narrows the type that Starlette widens
        return from_app_error(request, error)

    async def on_validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows the type
        found = validation_errors(error)
        detail = "; ".join(f"{e['field'] or e['in']}: {e['message']}" for e in found[:5])
        return problem(
            422, "invalid-input", _TITLES[422], detail, instance=_instance(request), errors=found
        )

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - narrows the type
        status = error.status_code
        title = _TITLES.get(status, "The request was refused")
        slug = (
            title.lower().replace(" ", "-")
            if status not in (404, 405, 413)
            else {404: "not-found", 405: "method-not-allowed", 413: "too-large"}[status]
        )
        headers = dict(error.headers or {})
        if status == _METHOD_REFUSED:
            headers["Allow"] = _allowed(request)
        return problem(
            status,
            slug,
            title,
            str(error.detail),
            instance=_instance(request),
            headers=headers,
        )

    async def on_database(request: Request, error: Exception) -> JSONResponse:
        original = getattr(error, "orig", None) or error
        if is_away(error):
            log.warning(
                "web.database_away",
                route=_route(request),
                error=type(original.__cause__ or original).__name__,
            )
            return problem(
                503,
                "unavailable",
                _TITLES[503],
                "The database is away; nothing was changed.",
                instance=_instance(request),
                headers={"Retry-After": "2"},
            )
        cause: BaseException | None = original.__cause__ or original
        if isinstance(cause, asyncpg.LockNotAvailableError | asyncpg.DeadlockDetectedError):
            return problem(
                409,
                "busy",
                "Somebody else is changing this",
                "Another request holds the same rows; send it again.",
                instance=_instance(request),
                headers={"Retry-After": "1"},
            )
        if isinstance(cause, asyncpg.QueryCanceledError):
            return problem(
                503,
                "too-slow",
                "That took too long",
                "The database gave up; narrow the request.",
                instance=_instance(request),
                headers={"Retry-After": "5"},
            )
        return await on_unexpected(request, error)

    async def on_unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("web.failed", route=_route(request), error=type(error).__name__, exc_info=error)
        return problem(
            500,
            "internal",
            _TITLES[500],
            "The failure is logged under the correlation id.",
            instance=_instance(request),
        )

    app.add_exception_handler(AppError, on_app_error)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(NoConnectionFree, _on_crowd)
    app.add_exception_handler(SQLAlchemyError, on_database)
    app.add_exception_handler(DBAPIError, on_database)
    app.add_exception_handler(asyncpg.PostgresError, on_database)
    app.add_exception_handler(OSError, on_database)
    app.add_exception_handler(Exception, on_unexpected)
