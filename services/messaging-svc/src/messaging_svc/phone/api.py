"""Calls: the lists, the next call, outcomes; and lists that leave as files."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Request, Response

from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Limit, Page, encode_cursor, id_after, page_by_id
from kantis_kit.web.router import Router
from kantis_kit.web.uploads import posted_file
from messaging_svc.phone import batches, files, queries, usecases
from messaging_svc.phone.errors import FileUnreadable
from messaging_svc.phone.outcomes import Recorded, Told, record
from messaging_svc.phone.schemas import (
    BatchIn,
    BatchOut,
    CallOut,
    Code,
    FileOut,
    ListOut,
    ListWithReasons,
    OutcomeIn,
    RecordedOut,
    ReleaseIn,
    TakeIn,
    TakenOut,
    WordIn,
    WordOut,
)

router = Router(prefix="/v1/calls", tags=["calls"])

_KINDS = ("text/csv", "text/plain", "application/octet-stream")
_CSV = "text/csv; charset=utf-8"
_CHUNK = 500


@router.get("/lists", policy=needs("messaging:read"))
async def list_lists(tx: Read, cursor: str | None = None, limit: Limit = 50) -> Page[ListOut]:
    """Return the calls of campaigns, counted: ready, later, reached, spared."""
    found = await queries.list_lists(tx, after=id_after(cursor), limit=limit)
    more = encode_cursor(found[-1].campaign_id) if len(found) == limit else None
    return Page(items=found, next_cursor=more)


@router.get("/lists/{campaign_id}", policy=needs("messaging:read"))
async def get_list(campaign_id: UUID, tx: Read) -> ListWithReasons:
    """Return the calls of a campaign, and why people are not called."""
    return await queries.get_list(tx, campaign_id)


@router.post("/next", policy=needs("messaging:write"))
async def take_next(body: TakeIn, tx: Write) -> TakenOut:
    """Take the next call: nobody else gets it while the lease holds. The gate decides now."""
    call_id = await usecases.take_next(tx, body)
    if call_id is None:
        return TakenOut(call=None, next_at=await queries.next_due(tx, body.campaign_id))
    return TakenOut(call=await queries.get_call(tx, call_id))


@router.get("/outcomes", policy=needs("messaging:read"))
async def list_outcomes(tx: Read) -> list[WordOut]:
    """Return the words for how calls end, and what follows from each."""
    return [WordOut.model_validate(one) for one in (await queries.words(tx)).values()]


@router.put("/outcomes/{code}", policy=needs("messaging:write"))
async def save_outcome(code: Annotated[Code, Path()], body: WordIn, tx: Write) -> WordOut:
    """Keep a word of the company's own for how calls end."""
    await usecases.save_word(tx, code, body)
    return WordOut.model_validate((await queries.words(tx))[code])


@router.delete("/outcomes/{code}", policy=needs("messaging:write"), status_code=204)
async def drop_outcome(code: Annotated[Code, Path()], tx: Write) -> None:
    """Take a word of the company's own out of use."""
    await usecases.drop_word(tx, code)


@router.post("/batches", policy=needs("messaging:write", privileged=True), status_code=201)
async def give_out(body: BatchIn, tx: Write, response: Response) -> BatchOut:
    """Take calls for somebody who calls elsewhere; the list is downloaded, and its outcomes come back as a file."""
    batch_id = await batches.give_out(tx, body)
    response.headers["Location"] = f"/v1/calls/batches/{batch_id}"
    return await queries.get_batch(tx, batch_id)


@router.get("/batches", policy=needs("messaging:read"))
async def list_batches(tx: Read, cursor: str | None = None, limit: Limit = 50) -> Page[BatchOut]:
    """Return the lists that were given out."""
    found = await queries.list_batches(tx, after=id_after(cursor), limit=limit)
    return page_by_id(found, limit)


@router.get("/batches/{batch_id}", policy=needs("messaging:read"))
async def get_batch(batch_id: UUID, tx: Read) -> BatchOut:
    """Return a list that was given out."""
    return await queries.get_batch(tx, batch_id)


@router.get(
    "/batches/{batch_id}/calls.csv", policy=needs("messaging:read"), response_class=Response
)
async def get_calls(batch_id: UUID, tx: Read) -> Response:
    """Return the calls of a list that have no outcome yet, with empty columns for theirs."""
    await queries.get_batch(tx, batch_id)
    rows: list[list[object]] = [[*files.COLUMNS]]
    after = -1
    while found := await queries.list_open_calls(tx, batch_id, after=after, limit=_CHUNK):
        rows += [files.row_of(one) for one in found]
        after = found[-1].position
    return _file(files.written(rows), f"calls-{batch_id}.csv")


@router.post(
    "/batches/{batch_id}/outcomes",
    policy=needs("messaging:write"),
    max_body_size=files.MAX_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "call_id;outcome;note\r\n01890a5d-ac96-774b-bcce-b302099a8057;reached_yes;\r\n",
                }
            },
        }
    },
)
async def take_outcomes(batch_id: UUID, request: Request, tx: Write) -> FileOut:
    """Record a file of outcomes: good rows count, the others come back with their reasons."""
    parts = posted_file(
        request,
        _KINDS,
        missing=FileUnreadable,
        other=FileUnreadable("Send the table as text/csv, or in a form"),
    )
    content = b"".join([part async for part in parts])
    return await batches.take_file(tx, batch_id, content)


@router.get(
    "/batches/{batch_id}/outcomes/{file_id}/rejects.csv",
    policy=needs("messaging:read"),
    response_class=Response,
)
async def get_rejects(batch_id: UUID, file_id: UUID, tx: Read) -> Response:
    """Return the rows of a file that were not taken, each with the reason."""
    found = await queries.get_file(tx, batch_id, file_id=file_id)
    return _file(files.rejects(found.rejected), f"rejects-{file_id}.csv")


@router.post("/batches/{batch_id}/recall", policy=needs("messaging:write"))
async def recall(batch_id: UUID, tx: Write) -> BatchOut:
    """Take a list back: what has no outcome is called by others."""
    await batches.recall(tx, batch_id)
    return await queries.get_batch(tx, batch_id)


@router.get("/{call_id}", policy=needs("messaging:read"))
async def get_call(call_id: UUID, tx: Read) -> CallOut:
    """Return a call with its script and what is known of the person."""
    return await queries.get_call(tx, call_id)


@router.post("/{call_id}/outcome", policy=needs("messaging:write"))
async def record_outcome(call_id: UUID, body: OutcomeIn, tx: Write) -> RecordedOut:
    """Record how a call ended; a no is in force before this is answered."""
    told = Told(
        call_id, body.outcome, body.note, [one.model_dump() for one in body.learned], body.follow_up,
        body.call_back_at,
    )  # fmt: skip
    answer = (await record(tx, [told]))[0]
    if not isinstance(answer, Recorded):
        raise answer
    return RecordedOut(
        call_id=call_id,
        outcome=body.outcome,
        effect=answer.effect,
        is_new=answer.is_new,
        state=answer.state,
        next_at=answer.next_at if answer.state == "planned" else None,
    )


@router.post("/{call_id}/release", policy=needs("messaging:write"), status_code=204)
async def release(call_id: UUID, body: ReleaseIn, tx: Write) -> None:
    """Give a call back without having called, for the next caller."""
    await usecases.release(tx, call_id, wait_minutes=body.wait_minutes)


def _file(content: bytes, name: str) -> Response:
    return Response(
        content,
        media_type=_CSV,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
