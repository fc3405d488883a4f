"""Shapes of products and stock."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from kantis_contracts.values import Currency
from kantis_kit.web.schemas import In, Out

Sku = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._-]+$")]
MAX_MINOR = 1_000_000_000
"""Ten million kroner: more than that for one thing is a slip of the hand."""
MAX_QUANTITY = 10_000_000


class ProductIn(In):
    """A product to sell; the price includes VAT."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "sku": "BLANKET-W",
                "name": "Ullteppe",
                "price_minor": 24900,
                "currency": "NOK",
                "vat_pct": 25,
                "initial_stock": 100,
            }
        }
    )

    sku: Sku
    name: str = Field(min_length=1, max_length=200)
    price_minor: int = Field(ge=0, le=MAX_MINOR)
    currency: Currency = "NOK"
    vat_pct: int = Field(default=25, ge=0, le=100)
    is_active: bool = True
    initial_stock: int = Field(default=0, ge=0, le=MAX_QUANTITY)


class ProductsIn(In):
    """Products to make together; all of them or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "products": [
                    {
                        "sku": "BLANKET-W",
                        "name": "Ullteppe",
                        "price_minor": 24900,
                        "currency": "NOK",
                        "vat_pct": 25,
                        "initial_stock": 100,
                    }
                ]
            }
        }
    )

    products: list[ProductIn] = Field(min_length=1, max_length=1_000)


class ProductPatch(In):
    """What changes of a product; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"example": {"price_minor": 19900}})

    name: str | None = Field(default=None, min_length=1, max_length=200)
    price_minor: int | None = Field(default=None, ge=0, le=MAX_MINOR)
    vat_pct: int | None = Field(default=None, ge=0, le=100)
    is_active: bool | None = None


class MovementIn(In):
    """Goods that came in (positive) or went out (negative) other than by an order."""

    model_config = ConfigDict(json_schema_extra={"example": {"quantity": 50, "reason": "delivery"}})

    quantity: int = Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY)
    reason: str = Field(min_length=1, max_length=200)


class ProductOut(Out):
    """A product and its stock; `available` is what may be sold now."""

    product_id: UUID
    version: int
    sku: str
    name: str
    price_minor: int
    currency: str
    vat_pct: int
    is_active: bool
    on_hand: int
    reserved: int
    available: int


class ProductList(Out):
    """Products that were made together."""

    items: list[ProductOut]
