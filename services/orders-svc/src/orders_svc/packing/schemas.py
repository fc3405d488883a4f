"""Shapes of parcels."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from kantis_kit.web.schemas import In, Out
from orders_svc.catalogue.schemas import MAX_QUANTITY

MAX_PARCELS = 50
MAX_GRAMS = 2_000_000


class Numbering(StrEnum):
    """Whose number a parcel has."""

    SSCC = "sscc"
    S10 = "s10"


class ContentIn(In):
    """How many of a line of the order lie in a box."""

    model_config = ConfigDict(json_schema_extra={"example": {"line_no": 1, "quantity": 2}})

    line_no: int = Field(ge=1, le=MAX_QUANTITY)
    quantity: int = Field(ge=1, le=MAX_QUANTITY)


class BoxIn(In):
    """A box: what lies in it, and what it weighs."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"lines": [{"line_no": 1, "quantity": 2}], "weight_grams": 1200}
        }
    )

    lines: list[ContentIn] = Field(min_length=1, max_length=1_000)
    weight_grams: int = Field(default=0, ge=0, le=MAX_GRAMS)


class PackIn(In):
    """Into which boxes an order is packed; without boxes, all that was picked into one."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "boxes": [{"lines": [{"line_no": 1, "quantity": 2}], "weight_grams": 1200}],
                "numbering": "sscc",
            }
        }
    )

    boxes: list[BoxIn] = Field(default=[], max_length=MAX_PARCELS)
    numbering: Numbering = Numbering.SSCC


class ParcelLineOut(Out):
    """How many of a line of the order lie in a parcel."""

    line_no: int
    quantity: int


class ParcelOut(Out):
    """A parcel."""

    parcel_id: UUID
    order_id: UUID
    shipment_id: UUID | None
    position: int
    code: str
    state: str
    weight_grams: int
    material: list[dict[str, Any]]
    carrier: str
    service: str
    booking: str
    booking_note: str
    tracking: str
    packed_at: datetime
    delivered_at: datetime | None
    lines: list[ParcelLineOut] = []


class ParcelList(Out):
    """The parcels of an order, and what looks wrong about its address and may be right."""

    items: list[ParcelOut]
    warnings: list[str] = []
