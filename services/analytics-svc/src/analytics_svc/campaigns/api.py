"""The reports' routes."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from analytics_svc.campaigns import queries, table, usecases
from analytics_svc.campaigns.schemas import (
    CampaignReport,
    CampaignSummary,
    LeadsReport,
    LinkOut,
    RebuildOut,
)
from analytics_svc.files import AskedForm, as_file, file_routes
from kantis_kit.auth.policy import needs
from kantis_kit.errors import Invalid
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, encode_cursor, id_after
from kantis_kit.web.router import Router

router = Router(prefix="/v1/reports", tags=["reports"])
READ = needs("analytics:read")
_LONGEST = timedelta(days=366)


@router.get("/campaigns", policy=READ)
async def list_reports(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[CampaignSummary]:
    """Return what campaigns came to, the newest first."""
    items = await queries.list_reports(tx, id_after(cursor), limit)
    more = encode_cursor(items[-1].campaign_id) if len(items) == limit else None
    return Page(items=items, next_cursor=more)


# Before the route of the report itself, whose pattern would take ".csv" for a part of the id.
@file_routes(router, "/campaigns/{campaign_id}", policy=READ)
async def get_report_file(campaign_id: UUID, form: AskedForm, tx: Read) -> Response:
    """Return a report's cells as a file, and their sum as a last line; no text in it is taken for a formula."""
    report = await queries.get_report(tx, campaign_id)
    return await as_file(f"campaign-{campaign_id}", form, table.lines_of(report), table.CellLine)


@router.get("/campaigns/{campaign_id}", policy=READ)
async def get_report(campaign_id: UUID, tx: Read) -> CampaignReport:
    """Return per cell what was sent, delivered, clicked, answered, ordered and paid, what it cost and gained.

    Profit is what orders that are paid in full came to, VAT included, less the cost of the pieces; the cost of the
    goods is not taken off.
    """
    return await queries.get_report(tx, campaign_id)


@router.post("/campaigns/{campaign_id}/links", policy=READ, status_code=201)
async def share_report(campaign_id: UUID, tx: Write) -> LinkOut:
    """Return a link that shows the report's page without a key, for a week."""
    return await usecases.share_report(tx, campaign_id)


@router.get("/leads", policy=READ)
async def list_leads(tx: Read, since: date, until: date) -> list[LeadsReport]:
    """Return how many leads each form brought on each day, both days included; at most a year."""
    if not (since <= until and until - since <= _LONGEST):
        raise Invalid("until: a day from since on, at most 366 days later")
    return await queries.list_leads(tx, since, until)


@router.post("/rebuild", policy=needs("analytics:write", privileged=True))
async def rebuild_reports(tx: Write) -> RebuildOut:
    """Make every number anew from the facts, and say how many were wrong."""
    return await usecases.rebuild_reports(tx)
