"""The routes of customers' reports."""

from uuid import UUID

from fastapi import Response

from analytics_svc.customers import queries
from analytics_svc.customers.schemas import CustomerReport, Line
from analytics_svc.files import AskedForm, as_file, file_routes
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read
from kantis_kit.web.router import Router

router = Router(prefix="/v1/reports/customers", tags=["reports"])
READ = needs("analytics:read")


# Before the route of the report itself, whose pattern would take ".csv" for a part of the id.
@file_routes(router, "/{person_id}", policy=READ)
async def get_customer_file(person_id: UUID, form: AskedForm, tx: Read) -> Response:
    """Return a customer's report as a file, a number a line; no text in it is taken for a formula."""
    report = await queries.get_customer(tx, person_id)
    return await as_file(f"customer-{person_id}", form, queries.lines_of(report), Line)


@router.get("/{person_id}", policy=READ)
async def get_customer(person_id: UUID, tx: Read) -> CustomerReport:
    """Return what was sent to a customer and what it cost, what they answer to, what they bought, paid and sent back.

    It is there from the first contact on; the id may be one that became part of another.
    """
    return await queries.get_customer(tx, person_id)
