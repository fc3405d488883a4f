"""Shapes of instalment plans."""

from datetime import date, datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from kantis_kit.web.schemas import In, Out


class PartIn(In):
    """A part and its day."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"due_on": "2026-04-15", "amount_minor": 8300}}
    )

    due_on: date
    amount_minor: int = Field(gt=0, le=100_000_000_000)


class PlanIn(In):
    """A plan for what is open of an invoice: its parts one by one, or `count` equal ones, a month apart from `first_on`."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"count": 3, "first_on": "2026-04-15", "with_fee": False}}
    )

    parts: list[PartIn] = Field(default=[], max_length=60)
    count: int | None = Field(default=None, ge=2, le=60)
    first_on: date | None = None
    with_fee: bool = False
    """Claim the fee that the law allows for a plan."""


class PartOut(Out):
    """A part, and what is still open of it."""

    number: int
    due_on: date
    amount_minor: int
    open_minor: int


class PlanOut(Out):
    """A plan; what is paid covers its parts, the first one first."""

    plan_id: UUID
    invoice_id: UUID
    state: str
    parts: list[PartOut]
    overdue_minor: int
    made_at: datetime
