"""The routes of saved reports."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from analytics_svc.files import AskedForm, as_file, file_routes
from analytics_svc.saved import queries, usecases
from analytics_svc.saved.schemas import SavedIn, SavedLines, SavedOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, id_after, page_by_id
from kantis_kit.web.router import Router

router = Router(prefix="/v1/reports/saved", tags=["reports"])
READ, WRITE = needs("analytics:read"), needs("analytics:write")


@router.post("", policy=WRITE, status_code=201)
async def save_report(wanted: SavedIn, tx: Write) -> SavedOut:
    """Save a report under a name; its lines are made anew whenever it is read."""
    return await usecases.save_report(tx, wanted)


@router.get("", policy=READ)
async def list_saved(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[SavedOut]:
    """Return saved reports, the oldest first."""
    found = await queries.list_saved(tx, id_after(cursor), limit)
    return page_by_id([SavedOut.model_validate(one) for one in found], limit)


# Before the route of the report itself, whose pattern would take ".csv" for a part of the id.
@file_routes(router, "/{saved_id}", policy=READ)
async def get_saved_file(saved_id: UUID, form: AskedForm, tx: Read) -> Response:
    """Return a saved report as a file, as it reads today; no text in it is taken for a formula."""
    saved = await queries.get_saved(tx, saved_id)
    made = await queries.make(tx, saved, tx.clock.now().date())
    return await as_file(f"{saved.report}-{saved_id}", form, made.lines, made.kind)


@router.get("/{saved_id}", policy=READ)
async def get_saved(saved_id: UUID, tx: Read) -> SavedLines:
    """Return a saved report as it reads today; 404 says when the campaign or person that it is of is gone."""
    saved = await queries.get_saved(tx, saved_id)
    since, until = queries.span_of(saved, tx.clock.now().date())
    made = await queries.make(tx, saved, until)
    return SavedLines(
        saved=SavedOut.model_validate(saved),
        since=since,
        until=until,
        items=[one.model_dump(mode="json") for one in made.items],
    )


@router.delete("/{saved_id}", policy=WRITE, status_code=204)
async def delete_saved(saved_id: UUID, tx: Write) -> None:
    """Forget a saved report."""
    await usecases.delete_saved(tx, saved_id)
