"""Shapes of orders."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from kantis_contracts.values import Country, Currency, VatPct
from kantis_kit.web.schemas import In, Out

MAX_LINE = 10_000


class IfShort(StrEnum):
    """What becomes of an order for more than there is: refused, waits as a whole, or goes in parts."""

    REFUSE = "refuse"
    BACK_ORDER = "back_order"
    PARTIAL = "partial"


class Substitutes(StrEnum):
    """Whether something else may be sent instead: never, when the customer agrees, or at once."""

    NEVER = "never"
    ASK = "ask"
    ALLOW = "allow"


class OrderLineIn(In):
    """Goods that are ordered, named by their sku or their id."""

    sku: str | None = Field(default=None, min_length=1, max_length=40)
    product_id: UUID | None = None
    quantity: int = Field(default=1, ge=1, le=MAX_LINE)

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if (self.sku is None) == (self.product_id is None):
            message = "name the goods by sku or by product_id, not both"
            raise ValueError(message)
        return self


class ShipTo(In):
    """Where the parcel goes instead of the person's own address."""

    full_name: str = Field(default="", max_length=200)
    street: str = Field(default="", max_length=200)
    postal_code: str = Field(default="", max_length=12)
    city: str = Field(default="", max_length=100)
    country: Country = "NO"


class OrderIn(In):
    """An order. Prices are those of the day; `external_id` is what the shop calls it: sent again, it is the same order."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "person_id": "01900000-0000-7000-8000-000000000001",
                "lines": [{"sku": "BLANKET-W", "quantity": 2}],
                "if_short": "partial",
                "substitutes": "ask",
                "external_id": "shop-1042",
            }
        }
    )

    person_id: UUID
    lines: list[OrderLineIn] = Field(min_length=1, max_length=100)
    currency: Currency | None = None
    ship_to: ShipTo | None = None
    if_short: IfShort = IfShort.REFUSE
    substitutes: Substitutes = Substitutes.NEVER
    external_id: str | None = Field(default=None, min_length=1, max_length=100)


class LinesIn(In):
    """What an order shall have instead of what it has; goods that it had keep their price."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"lines": [{"sku": "BLANKET-W", "quantity": 1}]}}
    )

    lines: list[OrderLineIn] = Field(min_length=1, max_length=100)


class SubstitutionIn(In):
    """What the customer agrees to get instead of what an order waits for."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"sku": "BLANKET-W", "instead": "BLANKET-G"}}
    )

    sku: str = Field(min_length=1, max_length=40)
    instead: str = Field(min_length=1, max_length=40)


class OrderLineOut(Out):
    """A line of an order; the amounts include VAT."""

    line_no: int
    product_id: UUID
    sku: str
    name: str
    quantity: int
    unit_price_minor: int
    vat_pct: VatPct
    amount_minor: int
    shipped_quantity: int
    cancelled_quantity: int
    bundle_id: UUID | None
    wanted_id: UUID | None


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
    delivered_at: datetime | None
    priority: int
    tracking: str
    ship_to: dict[str, Any] | None
    split_from: UUID | None
    promised_on: date | None
    external_id: str | None
    substitutes: str
    lines: list[OrderLineOut] = []


class PlacedOut(OrderOut):
    """An order that was placed; `back_order` is the rest of it that waits for goods."""

    back_order: OrderOut | None = None
