"""Dunning over HTTP."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Request, Response

from kantis_contracts.orders import DunningState
from kantis_contracts.values import Country
from kantis_kit.auth.policy import needs
from kantis_kit.calendar import date_in
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from kantis_kit.web.uploads import posted_file
from orders_svc.dunning import agency, queries, rates, reports, running, usecases
from orders_svc.dunning.errors import AgencyFileRefused, NothingToTell
from orders_svc.dunning.schemas import (
    AgencyContent,
    AgencyFileOut,
    AgencyReport,
    CaseOut,
    InterestIn,
    InterestOut,
    ProposalOut,
    StepIn,
)
from orders_svc.law.tables import Debtor
from orders_svc.settings import OrdersSettings

Limit = Annotated[int, Query(ge=1, le=500)]
Law = Annotated[Country, Path(description="Two capital letters, such as NO")]
MAX_FILE_BYTES = 16 * 1024 * 1024
_KINDS = ("text/csv", "application/json", "application/octet-stream")
_ASKED = f"Content-Type: one of {', '.join(_KINDS)} with the file as body, or multipart/form-data with a field file"

invoices = Router(prefix="/v1/invoices", tags=["dunning"])
cases = Router(prefix="/v1/dunning", tags=["dunning"])


@invoices.post("/{invoice_id}/dunning", policy=needs("orders:write"))
async def take_step(invoice_id: UUID, body: StepIn, tx: Write) -> CaseOut:
    """Enter a step that was taken about an unpaid invoice; one before its lawful day is refused with that day."""
    await usecases.take_step(tx, invoice_id, body)
    await tx.flush()
    return await queries.show_case(tx, invoice_id)


@invoices.get("/{invoice_id}/dunning", policy=needs("orders:read"))
async def get_case(invoice_id: UUID, tx: Read) -> CaseOut:
    """Return how an invoice is followed up, with every step and what is owed beside it."""
    return await queries.show_case(tx, invoice_id)


@invoices.post("/{invoice_id}/claims/waive", policy=needs("orders:write"))
async def waive_claims(invoice_id: UUID, tx: Write) -> CaseOut:
    """Give up the fees and the interest that are open beside an invoice."""
    await usecases.waive(tx, invoice_id)
    await tx.flush()
    return await queries.show_case(tx, invoice_id)


@cases.get("", policy=needs("orders:read"))
async def list_cases(
    tx: Read,
    *,
    state: Annotated[list[DunningState] | None, Query(max_length=10)] = None,
    person_id: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[CaseOut]:
    """Return the unpaid invoices that are followed up, without their steps; `state` may be given several times."""
    rows = await queries.list_cases(
        tx, states=state or (), person_id=person_id, after=id_after(cursor), limit=limit
    )
    more = encode_cursor(rows[-1].invoice_id) if len(rows) == limit else None
    return Page(items=rows, next_cursor=more)


@cases.get("/preview", policy=needs("orders:read"))
async def preview(
    tx: Read, on: date | None = None, cursor: str | None = None, limit: Limit = 100
) -> Page[ProposalOut]:
    """Return who would get which step on a day, for how much and why; what holds the others is told as well."""
    country = tx.settings(OrdersSettings).company_country
    day = on or date_in(tx.clock.now(), country)
    rows = await running.preview(tx, day, after=id_after(cursor), limit=limit)
    more = encode_cursor(rows[-1].invoice_id) if len(rows) == limit else None
    return Page(items=rows, next_cursor=more)


@cases.put("/interest-rates/{country}/{debtor}/{valid_from}", policy=needs("orders:write"))
async def put_interest(
    country: Law, debtor: Debtor, valid_from: date, body: InterestIn, tx: Write
) -> list[InterestOut]:
    """Enter the late interest of a half-year, which begins on 1 January or 1 July; it goes before the release's own."""
    await rates.set_interest(tx, country, debtor, valid_from, body)
    return await rates.list_interest(tx, country, debtor)


@cases.get("/interest-rates/{country}/{debtor}", policy=needs("orders:read"))
async def list_interest(country: Law, debtor: Debtor, tx: Read) -> list[InterestOut]:
    """Return the late interest of a country for a kind of debtor, the newest half-year first."""
    return await rates.list_interest(tx, country, debtor)


@cases.post("/agency-files", policy=needs("orders:write"), status_code=201)
async def write_agency_file(tx: Write, response: Response) -> AgencyFileOut:
    """Write a file of what the agency has not been told: cases, payments to us, reversals, withdrawals."""
    file = await agency.write_file(tx)
    if file is None:
        raise NothingToTell
    response.headers["Location"] = f"/v1/dunning/agency-files/{file.file_id}"
    return AgencyFileOut.model_validate(file)


@cases.get("/agency-files", policy=needs("orders:read"))
async def list_agency_files(
    tx: Read, cursor: str | None = None, limit: Limit = 100
) -> Page[AgencyFileOut]:
    """Return the files for the agency and from it, in their sequence."""
    rows = await queries.list_agency_files(tx, after=id_after(cursor), limit=limit)
    more = encode_cursor(rows[-1].file_id) if len(rows) == limit else None
    return Page(items=[AgencyFileOut.model_validate(row) for row in rows], next_cursor=more)


@cases.get(
    "/agency-files/{file_id}",
    policy=needs("orders:read"),
    response_model=None,
    responses={200: {"model": AgencyContent, "content": {"text/csv": {}}}},
)
async def get_agency_file(
    file_id: UUID, tx: Read, form: Annotated[Literal["json", "csv"], Query()] = "json"
) -> Response | AgencyContent:
    """Return a file for the agency, the same each time; `form=csv` gives it with semicolons."""
    file = await queries.get_agency_file(tx, file_id)
    lines = await agency.lines_of(tx, file_id)
    if form == "csv":
        name = f"agency-{file_id}.csv"
        return Response(
            agency.as_csv(lines),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    return AgencyContent(file_id=file_id, made_at=file.made_at, lines=lines)


@cases.post(
    "/agency-reports",
    policy=needs("orders:write"),
    max_body_size=MAX_FILE_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "kind;id;invoice_number;amount_minor;currency;on;why\r\n",
                },
                "application/json": {"schema": {"type": "object"}},
            },
        }
    },
)
async def take_agency_report(request: Request, tx: Write) -> AgencyReport:
    """Book a file from the agency (CSV or JSON): payments that it collected, cases that it gives back, its fees."""
    parts = posted_file(
        request,
        _KINDS,
        missing=AgencyFileRefused,
        other=AgencyFileRefused(_ASKED),
    )
    body = b"".join([part async for part in parts])
    return await reports.take_file(tx, body)
