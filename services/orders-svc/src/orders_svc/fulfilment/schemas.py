"""Shapes of what is done to an order on its way."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from kantis_kit.web.schemas import In, Out
from orders_svc.catalogue.schemas import MAX_QUANTITY

MAX_LINES = 1_000


class PartIn(In):
    """How many of a line of the order."""

    model_config = ConfigDict(json_schema_extra={"example": {"line_no": 1, "quantity": 2}})

    line_no: int = Field(ge=1, le=MAX_QUANTITY)
    quantity: int = Field(ge=1, le=MAX_QUANTITY)


class ShipIn(In):
    """How the parcel can be followed, and which lines leave; without lines, all that was picked."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"tracking": "RR473124829NO", "lines": [{"line_no": 1, "quantity": 2}]}
        }
    )

    tracking: str = Field(default="", max_length=100)
    lines: list[PartIn] = Field(default=[], max_length=MAX_LINES)


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


def quantities_of(parts: list[PartIn]) -> dict[int, int]:
    """Return how many of each line are meant; a line that is named twice adds up."""
    sums: dict[int, int] = {}
    for part in parts:
        sums[part.line_no] = sums.get(part.line_no, 0) + part.quantity
    return sums
