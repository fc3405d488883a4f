"""Exports at the API, and the link by which a file is fetched."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from starlette.responses import StreamingResponse

from contacts_svc.exports import files, queries, usecases
from contacts_svc.exports.errors import ExportUnknown
from contacts_svc.exports.schemas import ExportIn, ExportOut, LinkOut
from contacts_svc.settings import ContactsSettings
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import needs, public
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/exports", tags=["exports"])
links = Router(prefix="/p")
_ID_BYTES = 16
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.post("", policy=needs("contacts:write", privileged=True), status_code=202)
async def order_export(body: ExportIn, tx: Write, response: Response) -> ExportOut:
    """Write contacts into a file, in the background; cells that a spreadsheet would take for formulas are quoted."""
    found = await usecases.order_export(tx, body)
    response.headers["Location"] = f"/v1/exports/{found.id}"
    return ExportOut.model_validate(found)


@router.get("", policy=needs("contacts:read"))
async def list_exports(
    tx: Read, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[ExportOut]:
    """List the newest exports first."""
    return await queries.list_exports(tx, limit=limit)


@router.get("/{export_id}", policy=needs("contacts:read"))
async def get_export(export_id: UUID, tx: Read) -> ExportOut:
    """Tell how far an export is."""
    return await queries.get_export(tx, export_id)


@router.post("/{export_id}/link", policy=needs("contacts:write", privileged=True), status_code=201)
async def make_link(export_id: UUID, tx: Write) -> LinkOut:
    """Make a link by which the file can be fetched for a day, by whoever has it; kept in the audit log."""
    return await usecases.make_link(tx, export_id)


@router.delete("/{export_id}", policy=needs("contacts:write", privileged=True), status_code=204)
async def delete_export(export_id: UUID, tx: Write) -> None:
    """Delete the file; links to it end."""
    await usecases.forget_export(tx, export_id)


@links.get(
    "/exports/{token}",
    policy=public("the token names the file and ends after a day"),
    response_class=Response,
    responses={
        200: {
            "content": {kind.partition(";")[0]: {} for kind in _MEDIA.values()},
            "description": "The file",
        }
    },
)
async def fetch_file(token: str, tx: Read) -> Response:
    """Send an exported file to whoever has the link, as long as it lives."""
    payload = tx.use(LinkSigner).read(usecases.PURPOSE, token, now=tx.clock.now())
    found = None
    if payload is not None and len(payload) == _ID_BYTES:
        found = await queries.find_done(tx, UUID(bytes=payload))
    if found is None:
        raise ExportUnknown("The link is too old, was cut off, or the file was deleted")
    path = files.path_of(tx.settings(ContactsSettings).data_dir, found.id, found.kind)
    return StreamingResponse(
        files.read(path),
        media_type=_MEDIA[found.kind],
        headers={
            "Content-Disposition": f'attachment; filename="contacts-{found.id}.{found.kind}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )
