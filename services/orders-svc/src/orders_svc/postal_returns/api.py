"""Returns of post over HTTP: scanned, keyed, or as a file."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from kantis_kit.auth.policy import needs
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from kantis_kit.web.schemas import Instant
from kantis_kit.web.uploads import posted_file
from orders_svc.postal_returns import queries, usecases
from orders_svc.postal_returns.errors import FileUnreadable
from orders_svc.postal_returns.model import PostState
from orders_svc.postal_returns.reasons import NextAction
from orders_svc.postal_returns.schemas import (
    MAX_FILE_BYTES,
    FileOut,
    MappingIn,
    MappingOut,
    PostIn,
    PostOut,
    ReportOut,
)

router = Router(prefix="/v1/postal-returns", tags=["postal returns"])
READ, WRITE = needs("orders:read"), needs("orders:write")
Name = Annotated[str, Path(max_length=40, pattern=r"^[a-z0-9_-]+$")]
_KINDS = ("text/csv", "text/plain", "application/octet-stream")


@router.post(
    "",
    policy=WRITE,
    status_code=201,
    responses={200: {"model": PostOut, "description": "The same piece, noted before"}},
)
async def note_piece(body: PostIn, tx: Write, response: Response) -> PostOut:
    """Note a piece that came back; answers 200 when it was noted before."""
    piece, is_new = await usecases.note_piece(tx, body)
    if not is_new:
        response.status_code = 200
    return PostOut.model_validate(piece)


@router.get("", policy=READ)
async def list_pieces(
    tx: Read,
    state: PostState | None = None,
    next_action: NextAction | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[PostOut]:
    """Return what the post brought back, in the sequence of its noting."""
    rows = await queries.list_pieces(
        tx, state=state, next_action=next_action, after=id_after(cursor), limit=limit
    )
    more = encode_cursor(rows[-1].return_id) if len(rows) == limit else None
    return Page(items=[PostOut.model_validate(row) for row in rows], next_cursor=more)


@router.get("/report", policy=READ)
async def show_report(
    tx: Read, since: Instant | None = None, until: Instant | None = None
) -> ReportOut:
    """Return what came back in a time, what it cost, and what the next mailing saves."""
    return await queries.report(tx, since=since, until=until)


@router.put("/mappings/{name}", policy=WRITE)
async def declare_mapping(name: Name, body: MappingIn, tx: Write) -> MappingOut:
    """Declare how a file of the post is read."""
    return MappingOut.model_validate(await usecases.declare_mapping(tx, name, body))


@router.get("/mappings/{name}", policy=READ)
async def get_mapping(name: Name, tx: Read) -> MappingOut:
    """Return a declared mapping."""
    return MappingOut.model_validate(await queries.get_mapping(tx, name))


@router.post("/files/{name}", policy=WRITE, max_body_size=MAX_FILE_BYTES)
async def take_file(name: Name, request: Request, tx: Write) -> FileOut:
    """Take in a file of the post as the mapping of this name says; the same file again changes nothing."""
    asked = FileUnreadable("Send the file as text/csv or text/plain, or in a field called file")
    content = bytearray()
    async for part in posted_file(request, _KINDS, missing=FileUnreadable, other=asked):
        content += part
        if len(content) > MAX_FILE_BYTES:
            raise FileUnreadable(f"A file has at most {MAX_FILE_BYTES} bytes; cut it into parts")
    return await usecases.take_file(tx, name, bytes(content))


@router.post("/{return_id}/settle", policy=WRITE)
async def settle(return_id: UUID, tx: Write) -> PostOut:
    """Note that somebody has seen to a piece."""
    return PostOut.model_validate(await usecases.settle(tx, return_id))
