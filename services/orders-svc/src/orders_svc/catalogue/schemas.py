"""Shapes of products and stock."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from kantis_contracts.values import Currency, VatPct
from kantis_kit.web.schemas import In, Out
from orders_svc.vat.schemas import VatClass

Sku = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._-]+$")]
Place = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._-]+$")]
"""A place of the warehouse: a house, an aisle, a shelf."""
MAX_MINOR = 1_000_000_000
"""Ten million kroner: more than that for one thing is a slip of the hand."""
MAX_QUANTITY = 10_000_000


class ProductKind(StrEnum):
    """What a product is: a family only holds its variants together, a bundle is sold as its parts."""

    GOODS = "goods"
    MATERIAL = "material"
    """Packaging, leaflets, samples: in stock and orderable as goods are, and taken by the rules of packing."""
    FAMILY = "family"
    BUNDLE = "bundle"


class PartIn(In):
    """Goods of a bundle."""

    sku: Sku
    quantity: int = Field(default=1, ge=1, le=1_000)


Attributes = dict[
    Annotated[str, StringConstraints(min_length=1, max_length=40)],
    Annotated[str, StringConstraints(min_length=1, max_length=100)],
]


class ProductIn(In):
    """A product to sell; the price includes VAT.

    VAT is looked up by `vat_class`, country and day; with `vat_pct` instead, that rate holds everywhere. A variant names
    its `family` and what sets it apart; a bundle names its `parts`, whose stock is its own.
    """

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
    vat_pct: VatPct | None = None
    vat_class: VatClass | None = None
    is_active: bool = True
    initial_stock: int = Field(default=0, ge=0, le=MAX_QUANTITY)
    kind: ProductKind = ProductKind.GOODS
    family: Sku | None = None
    attributes: Attributes = Field(default_factory=dict, max_length=10)
    parts: list[PartIn] = Field(default_factory=list, max_length=50)
    lead_days: int | None = Field(default=None, ge=0, le=730)
    min_stock: int = Field(default=0, ge=0, le=MAX_QUANTITY)
    order_multiple: int = Field(default=1, ge=1, le=MAX_QUANTITY)

    @model_validator(mode="after")
    def _whole(self) -> "ProductIn":
        is_bundle = self.kind is ProductKind.BUNDLE
        for is_wrong, message in (
            (
                self.vat_pct is not None and self.vat_class not in (None, VatClass.FIXED),
                "give vat_class, or vat_pct where the rate is the same everywhere; not both",
            ),
            (
                self.vat_pct is None and self.vat_class is VatClass.FIXED,
                "a fixed rate needs vat_pct",
            ),
            (is_bundle != bool(self.parts), "a bundle has parts, and nothing else has"),
            (
                bool(self.initial_stock) and self.kind in (ProductKind.FAMILY, ProductKind.BUNDLE),
                "a family and a bundle have no stock of their own",
            ),
            (
                self.family is not None and self.kind is not ProductKind.GOODS,
                "a variant is of the kind goods",
            ),
            (
                len({part.sku for part in self.parts}) < len(self.parts),
                "parts: name each sku once",
            ),
        ):
            if is_wrong:
                raise ValueError(message)
        return self


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
    vat_pct: VatPct | None = None
    is_active: bool | None = None
    lead_days: int | None = Field(default=None, ge=0, le=730)
    min_stock: int | None = Field(default=None, ge=0, le=MAX_QUANTITY)
    order_multiple: int | None = Field(default=None, ge=1, le=MAX_QUANTITY)


class SubstitutesIn(In):
    """What may be sent instead of a product, the best first."""

    model_config = ConfigDict(json_schema_extra={"example": {"skus": ["BLANKET-G", "BLANKET-B"]}})

    skus: list[Sku] = Field(max_length=20)


class CountIn(In):
    """What somebody counted at a place."""

    model_config = ConfigDict(json_schema_extra={"example": {"place": "A-01-03", "counted": 17}})

    place: Place = "MAIN"
    counted: int = Field(ge=0, le=MAX_QUANTITY)


class TransferIn(In):
    """Goods that were carried from one place to another."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"from_place": "MAIN", "to_place": "A-01-03", "quantity": 12}}
    )

    from_place: Place
    to_place: Place
    quantity: int = Field(ge=1, le=MAX_QUANTITY)


class StockOut(Out):
    """What of a product lies at a place."""

    place: str
    on_hand: int


class StockList(Out):
    """What of a product lies where."""

    items: list[StockOut]


class MovementIn(In):
    """Goods that came in (positive) or went out (negative) other than by an order."""

    model_config = ConfigDict(json_schema_extra={"example": {"quantity": 50, "reason": "delivery"}})

    quantity: int = Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY)
    reason: str = Field(min_length=1, max_length=200)
    place: Place | None = None


class PartOut(Out):
    """Goods of a bundle."""

    product_id: UUID
    quantity: int


class ProductOut(Out):
    """A product and its stock; `available` is what may be sold now, `awaited` what orders wait for."""

    product_id: UUID
    version: int
    sku: str
    name: str
    price_minor: int
    currency: str
    vat_pct: VatPct
    is_active: bool
    on_hand: int
    reserved: int
    awaited: int
    available: int
    kind: str
    variant_of: UUID | None
    attributes: dict[str, str]
    vat_class: str
    lead_days: int | None
    min_stock: int
    order_multiple: int
    parts: list[PartOut] = []


class ProductList(Out):
    """Products that were made together."""

    items: list[ProductOut]
