"""What carriers tell of parcels, over HTTP: by call, or as a file."""

import csv
from datetime import datetime
from typing import Annotated

from fastapi import Body
from pydantic import ValidationError

from kantis_kit.auth.policy import needs
from kantis_kit.errors import Invalid
from kantis_kit.web import Router, Write
from orders_svc.deliveries import usecases
from orders_svc.deliveries.schemas import MAX_ITEMS, DeliveriesIn, DeliveriesOut, DeliveryIn

router = Router(prefix="/v1/deliveries", tags=["deliveries"])
WRITE = needs("orders:write")


@router.post("", policy=WRITE)
async def take_deliveries(body: DeliveriesIn, tx: Write) -> DeliveriesOut:
    """Note which parcels have arrived, by their numbers or the carrier's."""
    return DeliveriesOut(items=await usecases.take_deliveries(tx, body.items))


@router.post("/file", policy=WRITE)
async def take_file(
    body: Annotated[str, Body(media_type="text/csv", max_length=200_000)], tx: Write
) -> DeliveriesOut:
    """Note which parcels have arrived, as a file with the columns `code` and `delivered_at`, up to 1,000 lines."""
    return DeliveriesOut(items=await usecases.take_deliveries(tx, _read(body)))


def _read(text: str) -> list[DeliveryIn]:
    """Return the lines of a file. Raises `Invalid`."""
    lines = text.removeprefix("\ufeff").splitlines()
    table = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    if not {"code", "delivered_at"} <= set(table.fieldnames or ()):
        raise Invalid("line 1: the columns are code and delivered_at, with a semicolon or comma")
    items: list[DeliveryIn] = []
    for number, row in enumerate(table, 2):
        if len(items) == MAX_ITEMS:
            raise Invalid(
                f"line {number}: a file has at most {MAX_ITEMS} parcels; send the rest next"
            )
        try:
            at = datetime.fromisoformat(row["delivered_at"] or "")
            items.append(DeliveryIn(code=row["code"] or "", delivered_at=at))
        except (ValueError, ValidationError) as error:
            raise Invalid(
                f"line {number}: give code and delivered_at with its zone, such as 2026-03-12T14:03:00+01:00"
            ) from error
    if not items:
        raise Invalid("line 2: there are no parcels in the file")
    return items
