"""Reports as files to load: each as CSV and as Parquet, under the path of the report with the form at its end."""

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from analytics_svc.parquet import items_as_parquet
from analytics_svc.tables import items_as_csv
from kantis_kit.auth.policy import Policy
from kantis_kit.web.router import Router

HandlerT = TypeVar("HandlerT", bound=Callable[..., Any])


class Form(StrEnum):
    """What the lines are written as; the end of the path says it."""

    CSV = "csv"
    PARQUET = "parquet"


MEDIA_TYPES = {Form.CSV: "text/csv", Form.PARQUET: "application/vnd.apache.parquet"}
"""Source: IANA, registry of media types."""


async def _form(request: Request) -> Form:
    path: str = request.scope["path"]  # as routes match it; the URL's may be written with %2E
    return Form(path.rpartition(".")[2])


AskedForm = Annotated[Form, Depends(_form)]


def file_routes(
    router: Router, path: str, *, policy: Policy, method: Literal["GET", "POST"] = "GET"
) -> Callable[[HandlerT], HandlerT]:
    """Route `path` with `.csv` and with `.parquet` at its end to a handler that takes an `AskedForm`."""
    add = router.get if method == "GET" else router.post

    def route(handler: HandlerT) -> HandlerT:
        about = handler.__doc__ or ""
        for form in Form:
            add(
                f"{path}.{form}",
                policy=policy,
                response_class=Response,
                responses={200: {"content": {MEDIA_TYPES[form]: {}}, "description": "A line each"}},
                description=about.replace(
                    "as a file", f"as {form.name if form is Form.CSV else 'Parquet'}"
                ),
            )(handler)
        return handler

    return route


async def as_file(
    name: str, form: Form, items: Sequence[BaseModel], kind: type[BaseModel]
) -> Response:
    """Return the lines of a report as a file to be saved under `name`; in CSV no text is taken for a formula."""
    if form is Form.CSV:
        content: str | bytes = items_as_csv(items, kind)
    else:
        # Beside the event loop: loading the library the first time would hold it for a third of a second.
        content = await asyncio.to_thread(items_as_parquet, items, kind)
    media_type = MEDIA_TYPES[form] + ("; charset=utf-8" if form is Form.CSV else "")
    return Response(
        content,
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{form}"'},
    )
