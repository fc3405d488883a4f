"""Batches of letters: order, download, hand over."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from starlette.responses import StreamingResponse

from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, id_after, page_by_id
from kantis_kit.web.router import Router
from messaging_svc.letters import files, previews, queries, usecases
from messaging_svc.letters.errors import FilesGone, LetterNotFound, NoWindow
from messaging_svc.letters.schemas import (
    BatchIn,
    BatchOut,
    HandOverIn,
    PieceOut,
    PreviewIn,
    WaitingList,
)
from messaging_svc.letters.states import BatchState
from messaging_svc.letters.typeset import picture, typeset
from messaging_svc.letters.windows import Window, window_for
from messaging_svc.letters.writing import Writer, rows_of
from messaging_svc.settings import MessagingSettings

router = Router(prefix="/v1/letters", tags=["letters"])

_PDF, _CSV = "application/pdf", "text/csv; charset=utf-8"
_FILE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


@router.get("/waiting", policy=needs("messaging:read"))
async def list_waiting(tx: Read) -> WaitingList:
    """Return how many letters wait for a batch, by country."""
    return await queries.list_waiting(tx)


@router.post("/preview", policy=needs("messaging:read"), response_class=Response)
async def preview_letter(body: PreviewIn, tx: Read) -> Response:
    """Return a letter as a person, or an imagined one, would get it; as a picture, its first page."""
    sheet = await previews.imagine(tx, body)
    today = tx.clock.now().date()
    window, sender = (
        _window(sheet.address.country, today),
        Writer(tx.settings(MessagingSettings)).sender,
    )
    if body.format == "png":
        pages = await asyncio.to_thread(picture, [sheet], sender, window, today)
        return Response(pages[0], media_type="image/png", headers=_FILE)
    made, _ = await asyncio.to_thread(typeset, [sheet], sender, window, today)
    return Response(made, media_type=_PDF, headers=_FILE)


def _window(country: str, day: date) -> Window:
    window = window_for(country, day)
    if window is None:
        raise NoWindow(f"There is no address window for {country} on {day}")
    return window


@router.post("/batches", policy=needs("messaging:write"), status_code=202)
async def order_batch(body: BatchIn, tx: Write, response: Response) -> BatchOut:
    """Have a batch made of letters that wait: one country, in the order of its postal codes."""
    batch_id = await usecases.order_batch(tx, body)
    response.headers["Location"] = f"/v1/letters/batches/{batch_id}"
    return await queries.get_batch(tx, batch_id)


@router.get("/batches", policy=needs("messaging:read"))
async def list_batches(
    tx: Read,
    state: BatchState | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[BatchOut]:
    """Return batches in the order of their making."""
    found = await queries.list_batches(tx, state=state, after=id_after(cursor), limit=limit)
    return page_by_id(found, limit)


@router.get("/batches/{batch_id}", policy=needs("messaging:read"))
async def get_batch(batch_id: UUID, tx: Read) -> BatchOut:
    """Return a batch."""
    return await queries.get_batch(tx, batch_id)


@router.get(
    "/batches/{batch_id}/letters.pdf", policy=needs("messaging:read"), response_class=Response
)
async def get_letters(batch_id: UUID, tx: Read) -> Response:
    """Return the letters of a batch as one PDF/A, in the order of the manifest."""
    path = files.pdf_of(tx.settings(MessagingSettings).data_dir, batch_id)
    return await _file(tx, batch_id, path, _PDF)


@router.get(
    "/batches/{batch_id}/manifest.csv", policy=needs("messaging:read"), response_class=Response
)
async def get_manifest(batch_id: UUID, tx: Read) -> Response:
    """Return the list of the letters for the printing house."""
    path = files.manifest_of(tx.settings(MessagingSettings).data_dir, batch_id)
    return await _file(tx, batch_id, path, _CSV)


async def _file(tx: Read, batch_id: UUID, path: Path, kind: str) -> Response:
    batch = await queries.get_batch_row(tx, batch_id)
    is_there = await asyncio.to_thread(path.is_file)
    if batch.state not in (BatchState.READY, BatchState.HANDED_OVER) or not is_there:
        raise FilesGone(
            f"The batch is {batch.state}"
            + (", and its files are deleted" if batch.files_deleted_at else "")
        )
    name = f"letters-{batch.number}-{batch.country}{path.suffix}"
    return StreamingResponse(
        files.read(path),
        media_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"', **_FILE},
    )


@router.get(
    "/batches/{batch_id}/pieces/{message_id}/letter.pdf",
    policy=needs("messaging:read"),
    response_class=Response,
)
async def get_letter(batch_id: UUID, message_id: UUID, tx: Read) -> Response:
    """Return one letter of a batch as a PDF/A of its own."""
    batch = await queries.get_batch_row(tx, batch_id)
    rows = await rows_of(tx, batch_id, only=message_id)
    if not rows:
        raise LetterNotFound("The batch holds no such letter")
    window = _window(batch.country, batch.print_on)
    writer = Writer(tx.settings(MessagingSettings))
    await writer.prepare(tx, rows)
    sheet = writer.sheet(rows[0], batch.number)
    made, _ = await asyncio.to_thread(typeset, [sheet], writer.sender, window, batch.print_on)
    return Response(made, media_type=_PDF, headers=_FILE)


@router.get("/by-return-mark/{code}", policy=needs("messaging:read"))
async def find_by_return_mark(code: str, tx: Read) -> PieceOut:
    """Return the letter that came back, by the bar code above its address."""
    return await queries.find_piece_by_return(tx, code)


@router.post("/batches/{batch_id}/hand-over", policy=needs("messaging:write", privileged=True))
async def hand_over(batch_id: UUID, body: HandOverIn, tx: Write) -> BatchOut:
    """Record that the printing house has the batch: its letters are sent, once and for all."""
    await usecases.hand_over(tx, batch_id, body.printing_house)
    return await queries.get_batch(tx, batch_id)


@router.post("/batches/{batch_id}/reprint", policy=needs("messaging:write"), status_code=202)
async def reprint(batch_id: UUID, tx: Write) -> BatchOut:
    """Print a batch anew, without those who have said no since, at the addresses that hold now."""
    await usecases.reprint(tx, batch_id)
    return await queries.get_batch(tx, batch_id)


@router.post("/batches/{batch_id}/discard", policy=needs("messaging:write", privileged=True))
async def discard(batch_id: UUID, tx: Write) -> BatchOut:
    """Give up a batch that the printing house did not get; its letters wait for another one."""
    await usecases.discard(tx, batch_id)
    return await queries.get_batch(tx, batch_id)
