"""Files of responses over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from kantis_kit import files
from kantis_kit.auth.policy import needs
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from kantis_kit.web.downloads import spooled
from kantis_kit.web.uploads import posted_file
from orders_svc.paging import due_after
from orders_svc.response_files import queries, usecases
from orders_svc.response_files.errors import FileUnreadable, KindUnknown
from orders_svc.response_files.model import ReviewState
from orders_svc.response_files.schemas import (
    DecisionIn,
    FileOut,
    Form,
    MappingIn,
    MappingOut,
    Name,
    PreviewOut,
    ReviewOut,
)

router = Router(prefix="/v1/response-files", tags=["response desk"])
MAX_FILE_BYTES = 1024 * 1024 * 1024
_KINDS = (
    "text/plain",
    "text/csv",
    "application/csv",
    "application/jsonl",
    "application/x-ndjson",
    "application/octet-stream",
)
_ASKED = "Content-Type: text/plain with the file as body, or multipart/form-data with a field file"
_MEDIA = {Form.CSV: "text/csv", Form.FIXED: "text/plain", Form.JSON_LINES: "application/x-ndjson"}


@router.put("/mappings/{name}", policy=needs("orders:write"))
async def declare_mapping(name: Name, body: MappingIn, tx: Write) -> MappingOut:
    """Declare how the files of a sender are read, or change it; files that are being taken go on as they began."""
    return MappingOut.model_validate(await usecases.declare(tx, name, body))


@router.get("/mappings", policy=needs("orders:read"))
async def list_mappings(tx: Read) -> list[MappingOut]:
    """Return the declared mappings by their names."""
    return [MappingOut.model_validate(one) for one in await queries.list_mappings(tx)]


@router.get("/mappings/{name}", policy=needs("orders:read"))
async def get_mapping(name: Name, tx: Read) -> MappingOut:
    """Return a mapping."""
    return MappingOut.model_validate(await queries.get_mapping(tx, name))


@router.post(
    "",
    policy=needs("orders:write"),
    status_code=202,
    responses={
        200: {
            "model": PreviewOut | FileOut,
            "description": "How the file would be read (preview), or what took the same file before",
        }
    },
    max_body_size=MAX_FILE_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": "KODE;SVAR\n7K2M9QX4TC;J\n",
                },
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                },
            },
        }
    },
)
async def send_file(
    request: Request,
    response: Response,
    tx: Write,
    *,
    mapping: Annotated[Name, Query(description="How it is read: the name of a declared mapping")],
    name: Annotated[str, Query(max_length=200)] = "",
    rows: Annotated[
        int | None,
        Query(
            ge=0,
            le=100_000_000,
            description="As its sender has counted them: a cut file is refused",
        ),
    ] = None,
    preview: Annotated[bool, Query(description="Only tell how the file would be read")] = False,
) -> FileOut | PreviewOut:
    """Take a file of responses (up to 1 GiB); its rows are taken in the background, see how far it is.

    The same file by the same mapping again is answered (200) with what took it before.
    """
    if "\x00" in name:
        raise Invalid("name: holds a NUL character")
    file_id = new_id()
    path = usecases.path_of(tx, file_id)
    is_kept = False
    try:
        body = posted_file(request, _KINDS, missing=FileUnreadable, other=KindUnknown(_ASKED))
        sha256 = await files.store(path, body)
        # The first statement after the last byte: no transaction stands open while a slow caller sends.
        if preview:
            response.status_code = 200
            return await usecases.preview(tx, path, mapping)
        found, is_kept = await usecases.start(
            tx, file_id, path, sha256, mapping, name=name, rows=rows
        )
    finally:
        if not is_kept:
            await files.forget(path)
    if not is_kept:
        response.status_code = 200
    response.headers["Location"] = f"/v1/response-files/{found.file_id}"
    return FileOut.model_validate(found)


@router.get("", policy=needs("orders:read"))
async def list_files(
    tx: Read,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[FileOut]:
    """Return files in the sequence of their coming."""
    found = await queries.list_files(tx, after=id_after(cursor), limit=limit)
    more = encode_cursor(found[-1].file_id) if len(found) == limit else None
    return Page(items=[FileOut.model_validate(one) for one in found], next_cursor=more)


@router.get("/reviews", policy=needs("orders:read"))
async def list_reviews(
    tx: Read,
    *,
    state: ReviewState = ReviewState.WAITING,
    file_id: UUID | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ReviewOut]:
    """Return rows that a person decides on, those that are due first in front."""
    found = await queries.list_reviews(
        tx, state=state, file_id=file_id, after=due_after(cursor), limit=limit
    )
    last = found[-1] if len(found) == limit else None
    more = encode_cursor(last.due_at.isoformat(), last.review_id) if last else None
    return Page(items=[ReviewOut.model_validate(one) for one in found], next_cursor=more)


@router.post("/reviews/{review_id}/decide", policy=needs("orders:write"))
async def decide_review(review_id: UUID, body: DecisionIn, tx: Write) -> ReviewOut:
    """Take a row in review, as it was read or as it is corrected here, or drop it."""
    return ReviewOut.model_validate(await usecases.decide(tx, review_id, body))


@router.get("/{file_id}", policy=needs("orders:read"))
async def get_file(file_id: UUID, tx: Read) -> FileOut:
    """Tell how far a file is."""
    return FileOut.model_validate(await queries.get_file(tx, file_id))


@router.get(
    "/{file_id}/rejects",
    policy=needs("orders:read"),
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "The rows as they came"}},
)
async def get_rejects(file_id: UUID, tx: Read) -> Response:
    """Return the rows that were not taken, as they came, with number and reason; mend them and send the file again."""
    file = await queries.get_file(tx, file_id)
    mapping = MappingIn.model_validate(file.reading)
    return await spooled(
        queries.rejects_as_file(tx, file),
        media_type=f"{_MEDIA[mapping.form]}; charset={mapping.encoding}",
        filename=f"rejects-{file_id}.txt",
    )
