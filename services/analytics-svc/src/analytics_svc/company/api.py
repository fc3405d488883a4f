"""The routes of the house's reports: each as JSON, and as CSV and Parquet with the same lines."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends, Query, Response

from analytics_svc.company.errors import SpanInvalid
from analytics_svc.company.queries import REPORTS, Report
from analytics_svc.company.schemas import Lines
from analytics_svc.files import AskedForm, as_file, file_routes
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import Out

router = Router(prefix="/v1/reports", tags=["reports"])
READ = needs("analytics:read")
_LONGEST, _END = timedelta(days=3_653), 9999


async def _span(since: date, until: date) -> tuple[date, date]:
    if not (since <= until and until - since <= _LONGEST):
        raise SpanInvalid(
            f"until={until} must be a day from since={since} on, at most ten years later"
        )
    if until.year >= _END:
        raise SpanInvalid(f"until={until} must be a day before the year {_END}")
    return since, until


Span = Annotated[tuple[date, date], Depends(_span)]
Currency = Annotated[
    str | None, Query(pattern="^[A-Z]{3}$", description="Without it, every currency.")
]


def _serve(name: str, report: Report) -> None:
    """Serve a report as JSON, and as files under the same address with an ending."""
    lines: Callable[..., Awaitable[Sequence[Out]]]
    if report.is_of_money:

        async def lines(tx: Read, span: Span, currency: Currency = None) -> Sequence[Out]:
            return await report.list_lines(tx, *span, currency)

    else:

        async def lines(tx: Read, span: Span) -> Sequence[Out]:
            return await report.list_lines(tx, *span)

    found = Annotated[Sequence[Out], Depends(lines)]

    async def show(items: found) -> dict[str, Sequence[Out]]:
        return {"items": items}

    async def show_file(form: AskedForm, items: found) -> Response:
        return await as_file(name, form, items, report.line)

    called = f"get_{name.replace('-', '_')}"
    router.get(
        f"/{name}",
        policy=READ,
        name=called,
        description=f"Return {report.tells}; at most ten years.",
        response_model=Lines[report.line],  # type: ignore[name-defined] # known when it is declared
    )(show)
    show_file.__name__, show_file.__doc__ = f"{called}_file", f"Return {report.tells}, as a file."
    file_routes(router, f"/{name}", policy=READ)(show_file)


for _name, _report in REPORTS.items():
    _serve(_name, _report)
