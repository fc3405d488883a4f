"""The routes of scheduled reports: who gets which saved report by mail, and when next."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from analytics_svc.files import Form, as_file
from analytics_svc.pages.errors import LinkOver
from analytics_svc.saved import queries as saved_reports
from analytics_svc.schedules import queries, usecases
from analytics_svc.schedules.schemas import ScheduleIn, ScheduleOut
from kantis_kit.auth.policy import needs, public
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, id_after, page_by_id
from kantis_kit.web.router import Router

router = Router(prefix="/v1/reports", tags=["reports"])
READ, WRITE = needs("analytics:read"), needs("analytics:write")


@router.post("/saved/{saved_id}/schedules", policy=WRITE, status_code=201)
async def schedule_report(saved_id: UUID, wanted: ScheduleIn, tx: Write) -> ScheduleOut:
    """Mail a saved report to people of the company: a link to its CSV, in the language of each, once per due date.

    The link opens the report, as of the due date, without a key for a week: name addresses of your own only.
    """
    return await usecases.add_schedule(tx, saved_id, wanted)


@router.get("/schedules", policy=READ)
async def list_schedules(
    tx: Read,
    saved_id: UUID | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[ScheduleOut]:
    """Return schedules with their next due dates, the oldest first; all, or those of a saved report."""
    return page_by_id(await queries.list_schedules(tx, saved_id, id_after(cursor), limit), limit)


@router.post("/schedules/{schedule_id}/pause", policy=WRITE)
async def pause_schedule(schedule_id: UUID, tx: Write) -> ScheduleOut:
    """Mail nothing until it is resumed."""
    return await usecases.pause(tx, schedule_id)


@router.post("/schedules/{schedule_id}/resume", policy=WRITE)
async def resume_schedule(schedule_id: UUID, tx: Write) -> ScheduleOut:
    """Mail it again from the next due date on; 404 says when what its report is about is gone."""
    return await usecases.resume(tx, schedule_id)


@router.delete("/schedules/{schedule_id}", policy=WRITE, status_code=204)
async def delete_schedule(schedule_id: UUID, tx: Write) -> None:
    """Forget a schedule."""
    await usecases.delete_schedule(tx, schedule_id)


@router.get(
    "/shared/files/{token}",
    policy=public("signed link"),
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "A line each"}},
)
async def get_mailed_report(token: str, tx: Read) -> Response:
    """Return the CSV behind the link of a mail: the report's days end with the due date."""
    found = usecases.read_link(tx, token)
    if found is None:
        raise LinkOver("The link is not whole, or its time is over; sign in and open the report")
    saved = await saved_reports.get_saved(tx, found[0])
    made = await saved_reports.make(tx, saved, found[1])
    file = await as_file(f"{saved.report}-{found[1]}", Form.CSV, made.lines, made.kind)
    file.headers.update({"X-Robots-Tag": "noindex", "Cache-Control": "private, no-store"})
    return file
