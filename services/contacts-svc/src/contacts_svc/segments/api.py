"""Segments at the API."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from contacts_svc.segments import queries, usecases
from contacts_svc.segments.schemas import (
    CountOut,
    ExplanationOut,
    ListedIn,
    ListedOut,
    MemberOut,
    PreviewIn,
    PreviewOut,
    SegmentIn,
    SegmentOfPersonOut,
    SegmentOut,
    SnapshotOut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router

router = Router(prefix="/v1/segments", tags=["segments"])
of_contact = Router(prefix="/v1/contacts", tags=["segments"])


@of_contact.get("/{contact_id}/segments", policy=needs("contacts:read"))
async def list_segments_of(contact_id: UUID, tx: Read) -> list[SegmentOfPersonOut]:
    """List the segments that a person is in."""
    return await queries.list_segments_of(tx, contact_id)


@router.post("", policy=needs("contacts:write"), status_code=201)
async def make_segment(body: SegmentIn, tx: Write, response: Response) -> SegmentOut:
    """Keep a condition, or a list, under a name."""
    segment = await usecases.make_segment(tx, body)
    response.headers["Location"] = f"/v1/segments/{segment.id}"
    response.headers["ETag"] = etag(segment.version)
    return queries.segment_out(segment)


@router.post("/preview", policy=needs("contacts:read"))
async def preview(body: PreviewIn, tx: Read) -> PreviewOut:
    """Count whom a condition would hold for, and show some of them; nothing is kept."""
    return await queries.preview(tx, body.condition)


@router.get("", policy=needs("contacts:read"))
async def list_segments(tx: Read) -> list[SegmentOut]:
    """List the segments."""
    return await queries.list_segments(tx)


@router.get("/snapshots/{launch_id}", policy=needs("contacts:read"))
async def get_snapshot(
    launch_id: UUID, tx: Read, cursor: Annotated[str | None, Query(max_length=500)] = None
) -> SnapshotOut:
    """Return a frozen audience as it was at its launch, 1,000 people a page."""
    return await queries.get_snapshot(tx, launch_id, cursor=cursor)


@router.get("/{segment_id}", policy=needs("contacts:read"))
async def get_segment(segment_id: UUID, tx: Read, response: Response) -> SegmentOut:
    """Return a segment, and how its membership stands."""
    segment = await queries.get_segment(tx, segment_id)
    response.headers["ETag"] = etag(segment.version)
    shown = queries.segment_out(segment)
    shown.membership = await queries.membership_of(tx, segment)
    return shown


@router.put("/{segment_id}", policy=needs("contacts:write"))
async def change_segment(
    segment_id: UUID, body: SegmentIn, request: Request, tx: Write, response: Response
) -> SegmentOut:
    """Replace a segment that has not changed since it was read (If-Match)."""
    segment = await queries.lock_segment(tx, segment_id)
    require_match(request, segment.version)
    await usecases.change_segment(tx, segment, body)
    response.headers["ETag"] = etag(segment.version)
    return queries.segment_out(segment)


@router.delete("/{segment_id}", policy=needs("contacts:write"), status_code=204)
async def close_segment(segment_id: UUID, tx: Write) -> None:
    """Close a segment that no other one names; frozen audiences stay."""
    await usecases.close_segment(tx, await queries.lock_segment(tx, segment_id))


@router.get("/{segment_id}/count", policy=needs("contacts:read"))
async def count_members(segment_id: UUID, tx: Read) -> CountOut:
    """Count who is in the segment now."""
    return await queries.count_segment(tx, await queries.get_segment(tx, segment_id))


@router.get("/{segment_id}/members", policy=needs("contacts:read"))
async def list_members(
    segment_id: UUID,
    tx: Read,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Page[MemberOut]:
    """List who is in the segment now."""
    segment = await queries.get_segment(tx, segment_id)
    items, more = await queries.list_segment(tx, segment, cursor=cursor, limit=limit)
    return Page(items=items, next_cursor=more)


@router.post("/{segment_id}/members", policy=needs("contacts:write"))
async def put_on_list(segment_id: UUID, body: ListedIn, tx: Write) -> ListedOut:
    """Put people on a list."""
    segment = await queries.get_segment(tx, segment_id)
    return await usecases.put_on_list(tx, segment, body.person_ids)


@router.delete("/{segment_id}/members/{person_id}", policy=needs("contacts:write"), status_code=204)
async def take_off_list(segment_id: UUID, person_id: UUID, tx: Write) -> None:
    """Take a person off a list; one who is not on it is no error."""
    await usecases.take_off_list(tx, await queries.get_segment(tx, segment_id), person_id)


@router.get("/{segment_id}/explain/{person_id}", policy=needs("contacts:read"))
async def explain(segment_id: UUID, person_id: UUID, tx: Read) -> ExplanationOut:
    """Tell clause by clause why a person is in the segment, or is not."""
    segment = await queries.get_segment(tx, segment_id)
    return await queries.explain(tx, await queries.condition_of(tx, segment), person_id)
