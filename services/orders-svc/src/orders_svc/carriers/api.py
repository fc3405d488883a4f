"""Bookings of parcels over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from kantis_kit.auth.policy import needs
from kantis_kit.web import Read, Router, Write, encode_cursor, id_after
from orders_svc.carriers import queries, usecases
from orders_svc.carriers.schemas import BookIn
from orders_svc.packing.queries import show_parcels
from orders_svc.packing.schemas import ParcelOut

router = Router(prefix="/v1/parcels", tags=["carriers"])
READ, WRITE = needs("orders:read"), needs("orders:write")
TABLE: Any = {
    "response_class": Response,
    "responses": {200: {"content": {"text/csv": {}}, "description": "The parcels"}},
}


@router.get("/manifest", policy=READ, **TABLE)
async def get_manifest(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 500
) -> Response:
    """Return the parcels for a carrier who wants a list, as a table; `Next-Cursor` says where the next page begins."""
    text, more = await queries.manifest(tx, usecases.BY_FILE, after=id_after(cursor), limit=limit)
    headers = {"Next-Cursor": encode_cursor(more)} if more else {}
    return Response(text, media_type="text/csv", headers=headers)


@router.post("/{parcel_id}/book", policy=WRITE, status_code=202)
async def book_parcel(parcel_id: UUID, body: BookIn, tx: Write) -> ParcelOut:
    """Ask a carrier to take a parcel; its answer stands on the parcel when it has come."""
    (shown,) = await show_parcels(tx, [await usecases.ask(tx, parcel_id, body)])
    return shown
