"""Parcels and their labels over HTTP."""

import asyncio
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from kantis_kit.auth.policy import needs
from kantis_kit.tx import read
from kantis_kit.web import Read, Router, Write
from kantis_kit.web.state import runtime_of
from orders_svc.labels.typeset import render
from orders_svc.orders.queries import get_order
from orders_svc.orders.usecases import lock_order
from orders_svc.packing import queries, usecases
from orders_svc.packing.errors import ParcelNotFound
from orders_svc.packing.schemas import PackIn, ParcelList, ParcelOut

orders = Router(prefix="/v1/orders", tags=["packing"])
parcels = Router(prefix="/v1/parcels", tags=["packing"])
READ, WRITE = needs("orders:read"), needs("orders:write")
LABELS: Any = {
    "policy": READ,
    "response_class": Response,
    "responses": {200: {"content": {"application/pdf": {}}, "description": "The labels"}},
}


@orders.post("/{order_id}/parcels", policy=WRITE, status_code=201)
async def pack_order(order_id: UUID, tx: Write, body: PackIn | None = None) -> ParcelList:
    """Pack what was picked of an order into boxes that get a number each."""
    packed, warnings = await usecases.pack_order(tx, order_id, body or PackIn())
    return ParcelList(items=await queries.show_parcels(tx, packed), warnings=list(warnings))


@orders.get("/{order_id}/parcels", policy=READ)
async def list_parcels(order_id: UUID, tx: Read) -> ParcelList:
    """Return the parcels of an order, in the sequence of their packing."""
    await get_order(tx, order_id)
    found = await queries.parcels_of(tx, order_id)
    return ParcelList(items=await queries.show_parcels(tx, found))


@orders.delete("/{order_id}/parcels", policy=WRITE, status_code=204)
async def unpack_order(order_id: UUID, tx: Write) -> None:
    """Take what has not left out of its boxes, to pack it anew."""
    await lock_order(tx, order_id)
    await usecases.unpack(tx, order_id)


@orders.get("/{order_id}/labels", **LABELS)
async def order_labels(order_id: UUID, request: Request) -> Response:
    """Return the labels of an order's parcels that have not left, as a PDF with a page each."""
    # No Read dependency: the transaction must be over before the typesetter begins.
    async with read(runtime_of(request).scope) as tx:
        found = await usecases.waiting_parcels(tx, order_id)
        if not found:
            await get_order(tx, order_id)
            raise ParcelNotFound("No parcel of this order waits to leave: pack it first")
        labels = await queries.labels_of(tx, order_id, found)
    return Response(await asyncio.to_thread(render, labels), media_type="application/pdf")


@parcels.get("/{parcel_id}", policy=READ)
async def get_parcel(parcel_id: UUID, tx: Read) -> ParcelOut:
    """Return a parcel and what lies in it."""
    (shown,) = await queries.show_parcels(tx, [await queries.get_parcel(tx, parcel_id)])
    return shown


@parcels.get("/{parcel_id}/label", **LABELS)
async def parcel_label(parcel_id: UUID, request: Request) -> Response:
    """Return a parcel's label as a PDF."""
    async with read(runtime_of(request).scope) as tx:
        parcel = await queries.get_parcel(tx, parcel_id)
        labels = await queries.labels_of(tx, parcel.order_id, [parcel])
    return Response(await asyncio.to_thread(render, labels), media_type="application/pdf")
