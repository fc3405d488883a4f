"""What handlers ask for: a transaction, the caller, the time, the version that the client has seen."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from kantis_kit.auth.principal import Principal
from kantis_kit.errors import Invalid, PreconditionFailed
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.web.state import runtime_of, state_of


async def _write(request: Request) -> Tx:
    return await state_of(request).write()


async def _read(request: Request) -> ReadTx:
    return await state_of(request).read()


def _caller(request: Request) -> Principal:
    return state_of(request).principal


def _now(request: Request) -> datetime:
    return runtime_of(request).scope.clock.now()


Write = Annotated[Tx, Depends(_write)]
"""The request's transaction; committed after the answer is built, before it leaves."""

Read = Annotated[ReadTx, Depends(_read)]
"""A read-only transaction."""

Caller = Annotated[Principal, Depends(_caller)]
"""Who calls."""

Now = Annotated[datetime, Depends(_now)]
"""The service's time."""


def etag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def require_match(request: Request, version: int) -> None:
    """Refuse a change of something that has changed since the client read it.

    Raises:
        PreconditionFailed: `If-Match` names another version.
        Invalid: the header is missing or not one of our tags.
    """
    header = request.headers.get("if-match")
    if header is None:
        raise Invalid("If-Match: send the ETag of the version that you have read")
    if header.strip() not in (etag(version), "*"):
        raise PreconditionFailed(
            f"The current version is {etag(version)}; read it and decide again"
        )
