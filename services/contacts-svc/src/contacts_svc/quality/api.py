"""Duplicates and merges at the API."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from contacts_svc.quality import merging, queries, report, usecases
from contacts_svc.quality.kinds import PairState
from contacts_svc.quality.rules import LIKELY
from contacts_svc.quality.schemas import BlockOut, DuplicateOut, MergeIn, MergeOut, QualityReportOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Limit, Page
from kantis_kit.web.router import Router

router = Router(prefix="/v1/duplicates", tags=["quality"])
reports = Router(prefix="/v1/quality/report", tags=["quality"])
merges = Router(prefix="/v1/merges", tags=["quality"])

Cursor = Annotated[str | None, Query(max_length=500)]


@router.get("", policy=needs("contacts:read"))
async def list_duplicates(
    tx: Read,
    *,
    state: PairState = PairState.OPEN,
    min_score: Annotated[int, Query(ge=0, le=100)] = LIKELY,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[DuplicateOut]:
    """List contacts that may be the same person, the likeliest first."""
    return await queries.list_duplicates(
        tx, state=state, least=min_score, cursor=cursor, limit=limit
    )


@router.get("/blocks", policy=needs("contacts:read"))
async def list_blocks(tx: Read) -> list[BlockOut]:
    """List what so many people share that they are not all compared: a switchboard, a mailbox of everybody's."""
    return await queries.list_blocks(tx)


@router.post("/{duplicate_id}/dismiss", policy=needs("contacts:write"))
async def dismiss_duplicate(duplicate_id: UUID, tx: Write) -> DuplicateOut:
    """Say that these are two people; they are not asked about again."""
    return await queries.get_duplicate(tx, await usecases.dismiss(tx, duplicate_id))


@reports.get("", policy=needs("contacts:read"))
async def get_report(tx: Read, segment_id: UUID | None = None) -> QualityReportOut:
    """Return how good the data of a segment, or of everybody, is: scores, what is missing, duplicates, washes."""
    return await report.get_report(tx, segment_id)


@merges.post("", policy=needs("contacts:write", privileged=True), status_code=201)
async def merge_contacts(body: MergeIn, tx: Write, response: Response) -> MergeOut:
    """Make one contact of two: the known one stays, and the other's id answers with it from now on."""
    merge = await merging.merge(tx, body.known_id, body.merged_id, reason=body.reason)
    response.headers["Location"] = f"/v1/merges/{merge.id}"
    return queries.merge_out(merge)


@merges.get("", policy=needs("contacts:read"))
async def list_merges(
    tx: Read, *, contact_id: UUID | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[MergeOut]:
    """List merges, the newest first."""
    return await queries.list_merges(tx, contact_id=contact_id, cursor=cursor, limit=limit)


@merges.get("/{merge_id}", policy=needs("contacts:read"))
async def get_merge(merge_id: UUID, tx: Read) -> MergeOut:
    """Return a merge."""
    return await queries.get_merge(tx, merge_id)


@merges.post("/{merge_id}/undo", policy=needs("contacts:write", privileged=True))
async def undo_merge(merge_id: UUID, tx: Write) -> MergeOut:
    """Make two contacts of one again; a no that was given stays with both."""
    return queries.merge_out(await merging.undo(tx, merge_id))
