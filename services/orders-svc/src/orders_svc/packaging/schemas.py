"""Shapes of packing rules."""

from datetime import date
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from kantis_contracts.values import Country, Currency
from kantis_kit.web.schemas import In, Out
from orders_svc.catalogue.schemas import Sku


class Per(StrEnum):
    """Whether material is needed once for an order, or for its pieces."""

    ORDER = "order"
    PIECE = "piece"


class RuleIn(In):
    """Which material goes into which orders; every condition that is given must hold, none means all orders.

    With `product`, pieces are those of that product alone. Amounts are of the goods, with VAT.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "Box for up to three",
                "material": "BOX-S",
                "max_pieces": 3,
                "countries": ["NO", "SE"],
            }
        }
    )

    name: str = Field(min_length=1, max_length=200)
    material: Sku
    quantity: int = Field(default=1, ge=1, le=1_000)
    per: Per = Per.ORDER
    pieces_per: int = Field(default=1, ge=1, le=10_000)
    product: Sku | None = None
    countries: list[Country] = Field(default_factory=list, max_length=50)
    campaign_id: UUID | None = None
    currency: Currency | None = None
    min_minor: int | None = Field(default=None, ge=0, le=10**12)
    max_minor: int | None = Field(default=None, ge=0, le=10**12)
    min_pieces: int | None = Field(default=None, ge=1, le=10**6)
    max_pieces: int | None = Field(default=None, ge=1, le=10**6)
    valid_from: date | None = None
    valid_until: date | None = None
    is_active: bool = True

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        for low, high in (
            ("min_minor", "max_minor"),
            ("min_pieces", "max_pieces"),
            ("valid_from", "valid_until"),
        ):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                message = f"{low} is above {high}: no order would ever fit"
                raise ValueError(message)
        if (self.min_minor, self.max_minor) != (None, None) and self.currency is None:
            message = "say in which currency min_minor and max_minor are"
            raise ValueError(message)
        return self


class RuleOut(Out):
    """A packing rule."""

    rule_id: UUID
    name: str
    material_id: UUID
    quantity: int
    per: str
    pieces_per: int
    product_id: UUID | None
    countries: list[str]
    campaign_id: UUID | None
    currency: str | None
    min_minor: int | None
    max_minor: int | None
    min_pieces: int | None
    max_pieces: int | None
    valid_from: date | None
    valid_until: date | None
    is_active: bool


class MaterialOut(Out):
    """Material that goes into an order."""

    product_id: UUID
    sku: str
    name: str
    quantity: int


class MaterialList(Out):
    """What goes into an order besides its goods."""

    items: list[MaterialOut]
