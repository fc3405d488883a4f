"""Shapes of orders."""

from datetime import datetime
from typing import Any
from uuid import UUID

from kantis_kit.web.schemas import Out


class OrderLineOut(Out):
    """A line of an order; the amounts include VAT."""

    line_no: int
    product_id: UUID
    sku: str
    name: str
    quantity: int
    unit_price_minor: int
    vat_pct: int
    amount_minor: int


class OrderOut(Out):
    """An order."""

    order_id: UUID
    version: int
    number: str
    person_id: UUID
    response_id: UUID | None
    campaign_id: UUID | None
    cell_id: UUID | None
    state: str
    is_paid: bool
    total_minor: int
    currency: str
    placed_at: datetime
    picked_at: datetime | None
    shipped_at: datetime | None
    cancelled_at: datetime | None
    paid_at: datetime | None
    tracking: str
    ship_to: dict[str, Any] | None
    lines: list[OrderLineOut] = []


class PickLine(Out):
    """What to take from the shelf for an order."""

    sku: str
    name: str
    quantity: int


class PickOrder(Out):
    """An order to pick, and where it goes."""

    order_id: UUID
    number: str
    state: str
    placed_at: datetime
    full_name: str
    street: str
    postal_code: str
    city: str
    country: str
    lines: list[PickLine]


class PickList(Out):
    """Orders to pick, the oldest first, and what they need together."""

    orders: list[PickOrder]
    totals: list[PickLine]
