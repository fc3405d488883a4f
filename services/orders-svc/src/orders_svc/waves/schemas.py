"""Shapes of waves."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from kantis_kit.web.schemas import In, Out
from orders_svc.catalogue.schemas import MAX_QUANTITY

MAX_ORDERS = 10_000
MAX_LINES = 10_000_000
Scanned = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Rest(StrEnum):
    """What becomes of goods that were not on the shelf."""

    BACK_ORDER = "back_order"
    CALL_OFF = "call_off"


class WaveIn(In):
    """How many orders to pick together; those of higher priority first, then the older ones."""

    model_config = ConfigDict(json_schema_extra={"example": {"max_orders": 200}})

    max_orders: int = Field(ge=1, le=MAX_ORDERS)


class TakeIn(In):
    """How many lines a picker takes on the next walk."""

    model_config = ConfigDict(json_schema_extra={"example": {"lines": 20}})

    lines: int = Field(default=20, ge=1, le=500)


class PickIn(In):
    """What was scanned at the shelf: the code of the product, and how many were taken."""

    model_config = ConfigDict(json_schema_extra={"example": {"code": "BLANKET-W", "quantity": 2}})

    code: Scanned
    quantity: int = Field(ge=1, le=MAX_QUANTITY)


class ShortIn(In):
    """How many there were, fewer than wanted, and what becomes of the rest."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"picked": 1, "rest": "back_order", "try_again_on": "2026-03-16"}
        }
    )

    picked: int = Field(ge=0, le=MAX_QUANTITY)
    rest: Rest = Rest.BACK_ORDER
    try_again_on: date | None = None
    """No wave takes the rest before this day; tomorrow when nothing is said."""


class PriorityIn(In):
    """Which orders waves take first: the higher before the lower; 0 is usual."""

    model_config = ConfigDict(json_schema_extra={"example": {"priority": 10}})

    priority: int = Field(ge=-100, le=100)


class WaveOut(Out):
    """A wave, and how far it is."""

    wave_id: UUID
    number: int
    state: str
    orders: int
    lines: int
    waiting: int = 0
    made_by: str
    made_at: datetime
    closed_at: datetime | None


class WaveLineOut(Out):
    """A line of a wave; `walk_no` is its number on the walk."""

    walk_no: int
    place: str
    sku: str
    name: str
    quantity: int
    picked: int
    state: str
    order_id: UUID
    line_no: int
    taken_by: str
    taken_until: datetime | None


class TakenOut(Out):
    """The lines of a walk."""

    lines: list[WaveLineOut]
