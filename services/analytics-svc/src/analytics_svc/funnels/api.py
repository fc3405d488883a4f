"""The routes of funnels. To see one again by GET, as JSON or a file, or by mail, save it as a report."""

from fastapi import Response

from analytics_svc.company.schemas import Lines
from analytics_svc.files import AskedForm, as_file, file_routes
from analytics_svc.funnels import queries
from analytics_svc.funnels.schemas import FunnelIn, FunnelLine
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read
from kantis_kit.web.router import Router

router = Router(prefix="/v1/reports", tags=["reports"])
READ = needs("analytics:read")


@router.post("/funnels", policy=READ)
async def count_funnel(wanted: FunnelIn, tx: Read) -> Lines[FunnelLine]:
    """Return how many people took these steps one after the other, and how long that took them.

    It is counted from the facts, not from sums: at most 366 days and ten steps, and what takes longer than
    KANTIS_ANALYTICS_FUNNEL_TIMEOUT_MS is refused as `funnel-too-big`. A step counts that was strictly later than the one
    before. Orders that were called off do not count, nor does what nobody is known of. Groups are the 200 largest.
    """
    return Lines(items=await queries.count_funnel(tx, wanted, wanted.since, wanted.until))


@file_routes(router, "/funnels", policy=READ, method="POST")
async def count_funnel_file(wanted: FunnelIn, form: AskedForm, tx: Read) -> Response:
    """Return how many people took these steps, as a file; the same lines."""
    lines = await queries.count_funnel(tx, wanted, wanted.since, wanted.until)
    return await as_file("funnel", form, lines, FunnelLine)
