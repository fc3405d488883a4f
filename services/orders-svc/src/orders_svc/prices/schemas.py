"""Shapes of prices."""

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from kantis_contracts.values import Currency
from kantis_kit.web.schemas import In, Out

MAX_MINOR = 1_000_000_000


class PriceIn(In):
    """A price that includes VAT, from a day to a day or without an end."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "currency": "SEK",
                "valid_from": "2030-11-23",
                "valid_until": "2030-11-30",
                "price_minor": 19900,
            }
        }
    )

    currency: Currency
    valid_from: date = Field(ge=date(2000, 1, 1))
    valid_until: date | None = None
    price_minor: int = Field(ge=0, le=MAX_MINOR)

    @model_validator(mode="after")
    def _in_turn(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            message = "valid_until lies before valid_from; it is the last day of the price"
            raise ValueError(message)
        return self


class PriceOut(Out):
    """A price, from a day to a day or without an end."""

    product_id: UUID
    currency: str
    valid_from: date
    valid_until: date | None
    price_minor: int


class PriceList(Out):
    """The prices of a product, and the one that holds on a day."""

    on: date
    items: list[PriceOut]
    in_force: dict[str, int]
