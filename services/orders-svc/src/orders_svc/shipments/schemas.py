"""Shapes of shipments."""

from datetime import datetime
from uuid import UUID

from kantis_kit.web.schemas import Out


class ShipmentLineOut(Out):
    """How many of a line of the order left, and how many of these came back."""

    line_no: int
    quantity: int
    returned_quantity: int


class ShipmentOut(Out):
    """What left the house together."""

    shipment_id: UUID
    order_id: UUID
    number: str
    invoice_id: UUID
    tracking: str
    shipped_at: datetime
    delivered_at: datetime | None
    lines: list[ShipmentLineOut] = []


class ShipmentList(Out):
    """What has left of an order."""

    items: list[ShipmentOut]
