"""Deliveries over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from kantis_kit.auth.policy import needs
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from orders_svc.incoming import queries, usecases
from orders_svc.incoming.schemas import DeliveryIn, DeliveryOut, DeliveryPatch, ReceiptIn

router = Router(prefix="/v1/products/deliveries", tags=["stock"])


@router.post("", policy=needs("orders:write"), status_code=201)
async def expect_delivery(body: DeliveryIn, tx: Write) -> DeliveryOut:
    """Enter goods that were ordered from a supplier; who waits for them is promised a day by it."""
    return DeliveryOut.model_validate(await usecases.expect_delivery(tx, body))


@router.get("", policy=needs("orders:read"))
async def list_deliveries(
    tx: Read,
    *,
    product_id: UUID | None = None,
    is_open: bool | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[DeliveryOut]:
    """Return deliveries in the sequence of their entry."""
    rows = await queries.list_deliveries(
        tx,
        product_ids=[product_id] if product_id else [],
        is_open=is_open,
        after=id_after(cursor),
        limit=limit,
    )
    more = encode_cursor(rows[-1].delivery_id) if len(rows) == limit else None
    return Page(items=[DeliveryOut.model_validate(row) for row in rows], next_cursor=more)


@router.patch("/{delivery_id}", policy=needs("orders:write"))
async def change_delivery(delivery_id: UUID, body: DeliveryPatch, tx: Write) -> DeliveryOut:
    """Note that a delivery comes on another day, or with more or less."""
    return DeliveryOut.model_validate(await usecases.change_delivery(tx, delivery_id, body))


@router.post("/{delivery_id}/receipts", policy=needs("orders:write"), status_code=201)
async def receive_delivery(delivery_id: UUID, body: ReceiptIn, tx: Write) -> DeliveryOut:
    """Take in what has come of a delivery; whoever waits for it gets it next."""
    return DeliveryOut.model_validate(await usecases.receive_delivery(tx, delivery_id, body))
