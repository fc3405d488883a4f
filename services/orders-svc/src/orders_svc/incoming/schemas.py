"""Shapes of deliveries."""

from datetime import date
from uuid import UUID

from pydantic import ConfigDict, Field

from kantis_kit.web.schemas import In, Out
from orders_svc.catalogue.schemas import MAX_QUANTITY, Place, Sku


class DeliveryIn(In):
    """Goods that were ordered from a supplier."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "sku": "BLANKET-W",
                "quantity": 500,
                "expected_on": "2030-03-16",
                "reference": "PO-1042",
            }
        }
    )

    sku: Sku
    quantity: int = Field(ge=1, le=MAX_QUANTITY)
    expected_on: date
    reference: str = Field(default="", max_length=100)


class DeliveryPatch(In):
    """What has changed of a delivery: it comes on another day, with more or less."""

    model_config = ConfigDict(json_schema_extra={"example": {"expected_on": "2030-03-23"}})

    expected_on: date | None = None
    quantity: int | None = Field(default=None, ge=1, le=MAX_QUANTITY)


class ReceiptIn(In):
    """What has come of a delivery, and where it was put; `is_last` when the rest will not come."""

    model_config = ConfigDict(json_schema_extra={"example": {"quantity": 480, "is_last": True}})

    quantity: int = Field(ge=0, le=MAX_QUANTITY)
    place: Place | None = None
    is_last: bool = False


class DeliveryOut(Out):
    """A delivery; `outstanding` is what has still to come."""

    delivery_id: UUID
    product_id: UUID
    quantity: int
    received: int
    outstanding: int
    expected_on: date
    reference: str
    is_closed: bool
