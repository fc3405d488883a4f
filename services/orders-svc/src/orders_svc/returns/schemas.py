"""Shapes of returns."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from kantis_kit.web.schemas import In, Out
from orders_svc.catalogue.schemas import MAX_QUANTITY

MAX_LINES = 1_000
Code = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Fate(StrEnum):
    """What becomes of goods that came back."""

    RESTOCK = "restock"
    SCRAP = "scrap"


class ReturnLineIn(In):
    """How many of a line of the order come back."""

    model_config = ConfigDict(json_schema_extra={"example": {"line_no": 1, "quantity": 1}})

    line_no: int = Field(ge=1, le=MAX_QUANTITY)
    quantity: int = Field(ge=1, le=MAX_QUANTITY)


class ReturnIn(In):
    """What a customer sends back, and why; without lines, all that they have of the order."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "order_id": "01980000-0000-7000-8000-000000000001",
                "lines": [{"line_no": 1, "quantity": 1}],
                "reason": "too small",
            }
        }
    )

    order_id: UUID
    lines: list[ReturnLineIn] = Field(default=[], max_length=MAX_LINES)
    is_withdrawal: bool = True
    """Whether the customer uses the right of withdrawal, which ends; a complaint does not."""
    is_goodwill: bool = False
    """Taken back although the right of withdrawal has ended."""
    reason: str = Field(default="", max_length=500)


class ScanIn(In):
    """What was found in a parcel that came back: the code of the product, how many, and what becomes of them."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"code": "BLANKET-W", "quantity": 1, "fate": "restock"}}
    )

    code: Code
    quantity: int = Field(ge=1, le=MAX_QUANTITY)
    fate: Fate = Fate.RESTOCK


class ReceiveIn(In):
    """What was found in a parcel that came back."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"found": [{"code": "BLANKET-W", "quantity": 1}]}}
    )

    found: list[ScanIn] = Field(min_length=1, max_length=MAX_LINES)


class CounterIn(ReceiveIn):
    """A parcel that came back unannounced, by the number of the order or of the parcel."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"code": "100001", "found": [{"code": "BLANKET-W", "quantity": 1}]}
        }
    )

    code: Code
    reason: str = Field(default="", max_length=500)


class ReturnLineOut(Out):
    """How many of a line come back, and what became of them."""

    line_no: int
    announced: int
    restocked: int
    scrapped: int


class ReturnOut(Out):
    """A return; `refund_minor` is what was credited."""

    return_id: UUID
    order_id: UUID
    number: str
    state: str
    is_withdrawal: bool
    reason: str
    deadline_on: date | None
    announced_at: datetime
    settled_at: datetime | None
    refund_minor: int
    credit_notes: list[dict[str, Any]]
    lines: list[ReturnLineOut] = []
